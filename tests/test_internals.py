"""The internals of other libraries that this project overrides or reads: docs/internals.md lists them.

A failure here means that a new version changed something we rely on. Read what changed in that library first.
"""

import importlib
import inspect
import pkgutil
import re
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from django.template.loader import get_template
from flower.urls import handlers
from packaging.requirements import Requirement
from tornado.routing import URLSpec
from tornado.web import RequestHandler

CHECKOUT = Path(__file__).resolve().parent.parent
PAGE = (CHECKOUT / "docs/internals.md").read_text()
PACKAGES = ("analytics", "messaging", "monitoring", "waproject")

# The versions whose source was read. Unfold's newer line needs Python 3.12.
VERSIONS = {
    "billiard": {"4.3.2"},
    "botocore": {"1.43.106"},
    "celery": {"5.7.0"},
    "django-unfold": {"0.91.0", "0.110.0"},
    "djangorestframework": {"3.18.3"},
    "flower": {"2.2.0"},
    "gunicorn": {"27.0.1"},
    "kombu": {"5.7.0"},
    "requests": {"2.34.2"},
    "tornado": {"6.6.1"},
    "urllib3": {"2.8.0"},
}

# Callables that are overridden, replaced or called, and their parameters; "*" and "**" as in a definition.
SIGNATURES = {
    # Flower's authentication.
    "flower.views.monitor:Metrics.get": "self",
    "flower.views:BaseHandler.get_current_user": "self",
    "tornado.web:authenticated": "method",
    # The SSRF guard.
    "urllib3.connection:HTTPConnection._new_conn": "self",
    "urllib3.connection:HTTPConnection.connect": "self",
    "urllib3.connection:HTTPSConnection.connect": "self",
    "urllib3.poolmanager:PoolManager.connection_from_host": "self host port scheme pool_kwargs",
    "requests.adapters:HTTPAdapter.__init__": "self pool_connections pool_maxsize max_retries pool_block",
    "requests.adapters:HTTPAdapter.init_poolmanager": "self connections maxsize block **pool_kwargs",
    "requests.adapters:HTTPAdapter.get_connection_with_tls_context": "self request verify proxies cert",
    "requests.sessions:SessionRedirectMixin.get_redirect_target": "self resp",
    # Deadlines, and whether a request has left.
    "http.client:HTTPResponse.__init__": "self sock debuglevel method url",
    "http.client:HTTPResponse._read_status": "self",
    "http.client:HTTPConnection.send": "self data",
    "urllib3.connection:HTTPConnection.getresponse": "self",
    # The rest of Flower.
    "flower.views:BaseHandler.get_broker": "self",
    "flower.utils.broker:Broker.queues": "self names",
    # Celery's prefork pool.
    "celery.concurrency.asynpool:AsynPool._create_write_handlers": "self hub pack dumps protocol",
    "celery.concurrency.asynpool:AsynPool._event_process_exit": "self hub proc",
    "celery.concurrency.asynpool:AsynPool._flush_writer": "self proc writer",
    "celery.concurrency.asynpool:AsynPool.flush": "self",
    # Celery's events and remote control.
    "celery.app.control:Control.broadcast": (
        "self command arguments destination connection reply timeout limit callback channel pattern matcher"
        " **extra_kwargs"
    ),
    "celery.events.dispatcher:EventDispatcher.__init__": (
        "self connection hostname enabled channel buffer_while_offline app serializer groups delivery_mode"
        " buffer_group buffer_limit on_send_buffered"
    ),
    "celery.events.dispatcher:EventDispatcher._publish": (
        "self event producer routing_key retry retry_policy utcoffset"
    ),
    "celery.events.dispatcher:EventDispatcher.close": "self",
    "celery.events.receiver:EventReceiver.__init__": (
        "self channel handlers routing_key node_id app queue_prefix accept queue_ttl queue_expires queue_exclusive"
        " queue_durable"
    ),
    "celery.events.receiver:EventReceiver.capture": "self limit timeout wakeup",
    "celery.events.receiver:EventReceiver.event_from_message": (
        "self body localize now tzfields adjust_timestamp CLIENT_CLOCK_SKEW"
    ),
    "celery.events.receiver:EventReceiver.process": "self type event",
    # kombu's SQS transport, and the event loop.
    "kombu.transport.virtual.base:Message.__init__": "self payload channel **kwargs",
    "kombu.transport.virtual.base:Channel.basic_consume": "self queue no_ack callback consumer_tag **kwargs",
    "kombu.transport.virtual.base:QoS.ack": "self delivery_tag",
    "kombu.transport.virtual.base:QoS.can_consume": "self",
    "kombu.transport.virtual.base:QoS.get": "self delivery_tag",
    "kombu.transport.virtual.base:Channel._restore": "self message",
    "kombu.transport.virtual.base:Channel.queue_declare": "self queue passive **kwargs",
    "kombu.transport.SQS:Channel.__init__": "self *args **kwargs",
    "kombu.transport.SQS:Channel.basic_consume": "self queue no_ack callback consumer_tag *args **kwargs",
    "kombu.transport.SQS:Channel.basic_cancel": "self consumer_tag",
    "kombu.transport.SQS:Channel.basic_ack": "self delivery_tag multiple",
    "kombu.transport.SQS:Channel.basic_reject": "self delivery_tag requeue",
    "kombu.transport.SQS:Channel.close": "self",
    "kombu.transport.SQS:Channel._new_queue": "self queue **kwargs",
    "kombu.transport.SQS:Channel._put": "self queue message **kwargs",
    "kombu.transport.SQS:Channel._resolve_delay_seconds": "self properties",
    "kombu.transport.SQS:Channel._restore": "self message unwanted_delivery_info",
    "kombu.asynchronous.hub:Hub.add_reader": "self fds callback *args",
    "kombu.asynchronous.hub:Hub.call_later": "self delay callback *args",
    "kombu.asynchronous.hub:Hub.call_repeatedly": "self delay callback *args",
    "kombu.asynchronous.hub:Hub.remove": "self fd",
    # gunicorn, botocore, Django REST framework, tornado.
    "gunicorn.glogging:Logger.setup": "self cfg",
    "gunicorn.workers.base:Worker.notify": "self",
    "gunicorn.workers.gthread:TConn.__init__": "self cfg sock client server",
    "gunicorn.workers.gthread:TConn.close": "self graceful",
    "gunicorn.workers.gthread:ThreadWorker.__init__": "self *args **kwargs",
    "gunicorn.workers.gthread:ThreadWorker._cap_keepalive": "self deadline",
    "gunicorn.workers.gthread:ThreadWorker._keepalive_after": "self conn keepalive",
    "gunicorn.workers.gthread:ThreadWorker.accept": "self listener",
    "gunicorn.workers.gthread:ThreadWorker.enqueue_req": "self conn",
    "gunicorn.workers.gthread:ThreadWorker.finish_request": "self conn fs",
    "gunicorn.workers.gthread:ThreadWorker.handle_request": "self req conn",
    "gunicorn.workers.gthread:ThreadWorker.init_process": "self",
    "gunicorn.workers.gthread:ThreadWorker.murder_pending": "self",
    "gunicorn.workers.gthread:ThreadWorker.on_client_socket_readable": "self conn client",
    "botocore.configprovider:ConfiguredEndpointProvider.__init__": (
        "self full_config scoped_config client_name environ"
    ),
    "botocore.configprovider:ConfiguredEndpointProvider.provide": "self",
    "botocore.session:Session.get_config_variable": "self logical_name methods",
    "botocore.session:Session.get_scoped_config": "self",
    "rest_framework.pagination:CursorPagination.decode_cursor": "self request",
    "rest_framework.serializers:Serializer.run_validation": "self data",
    "tornado.web:RequestHandler._handle_request_exception": "self e",
}

# Names that are replaced, read or set, as they are spelled in a library's source.
SPELLED = {
    "flower.command": ("Flower(capp=app, options=options",),
    "flower.app": ("loader.import_default_modules()",),
    "flower.events": ("EventReceiver(conn,",),
    "flower.options": ('"basic_auth"', '"auth"', '"enable_events"', '"read_only"', '"inspect_timeout"'),
    "flower.views": ("return Broker(", "basic_auth = self.application.options.basic_auth"),
    "urllib3.connection": ("self._dns_host = ", "self.sock = self._new_conn()", "self.sock = sock = self._new_conn()"),
    "urllib3.connectionpool": ("self.ConnectionCls(", "is_connection_dropped(conn)"),
    "urllib3.util.connection": ("return not conn.is_connected",),
    "urllib3.poolmanager": ("self.pool_classes_by_scheme[scheme]",),
    "http.client": (
        "def _read_headers(fp",
        "self.response_class(self.sock",
        'sock.makefile("rb")',
        "self.sock.sendall(data)",
    ),
    "requests.adapters": ("self.poolmanager = PoolManager(", "self.poolmanager.connection_from_host("),
    "celery.concurrency.prefork": ("Pool = AsynPool", "else self.Pool"),
    "celery.concurrency.asynpool": (
        "outbound_buffer", "job._write_to = ", "job._writer = ref(", "self._active_writers", "if not job._accepted:",
        "self._event_process_exit, hub, proc", "if self._state == RUN:",
    ),
    "billiard.pool": ("self._accepted = ", "_write_to = ", "RUN = 0", "self._cache = "),
    "celery.worker.worker": ("self.pool_cls = ", "self.use_eventloop = ", "self.options = "),
    "celery.worker.components": ("w.pool_cls,",),
    "celery.worker.consumer.heart": ("without_heartbeat", "heartbeat_interval"),
    "celery.worker.consumer.gossip": ("without_gossip",),
    "celery.worker.consumer.consumer": ("self.timer = ", "self.hub = ", "self.controller = "),
    "celery.worker.state": ("should_stop = ", "active_requests = ", "reserved_requests = "),
    "celery.worker.control": ("class Panel", "data = {}"),
    "celery.worker.request": ("time_start = ", "self._content_type, self._content_encoding = ("),
    "celery.worker.consumer.control": ("worker_enable_remote_control",) ,
    "celery.apps.worker": ("self.quiet = ",),
    "celery.app.base": ("self.events_cls", "self.control_cls"),
    "celery.beat": ("signals.beat_init.send(sender=self)", "interval = self.scheduler.tick()", "def scheduler(self"),
    "celery.fixups.django": ("'CELERY_DB_REUSE_MAX'",),
    "kombu.message": ("if not self._decoded_cache:",),
    "kombu.transport": ("TRANSPORT_ALIASES = {", "'sqs'"),
    "kombu.transport.virtual.base": (
        "connection._callbacks[queue] = ", "self._consumers = ", "self._tag_to_queue = ", "body_encoding = ",
        "return queue_declare_ok_t(", "self.Message(", "Message = Message",
    ),
    "kombu.transport.SQS": ("def predefined_queues", "def region", "def wait_time_seconds", "def transport_options"),
    "gunicorn.glogging": ("self.error_log = ", "self.error_log.propagate = False"),
    "gunicorn.http.wsgi": ('"wsgi.input_terminated": True',),
    "rest_framework.request": ("self._request = request",),
    "rest_framework.views": ("request.accepted_renderer", "response.accepted_renderer = request.accepted_renderer"),
    "django.core.handlers.wsgi": ("self._stream = LimitedStream(",),
    "django.db.backends.base.base": ("self.health_check_done = ",),
}  # fmt: skip

# Blocks of unfold's and Django's templates that ours fill in.
BLOCKS = {
    "admin/base_site.html": {"content", "extrahead"},
    "admin/change_list.html": {"content", "extrahead", "pagination", "result_list"},
}
UNFOLD_NAMES = {
    "unfold.admin": ("ModelAdmin", "TabularInline"),
    "unfold.forms": ("AdminPasswordChangeForm", "UserChangeForm", "UserCreationForm"),
    "unfold.widgets": ("UnfoldAdminCheckboxSelectMultipleWidget", "UnfoldAdminSelectWidget"),
}

# Libraries of which every override is listed; of the others, whose classes are made to be subclassed, private ones.
ALL_OVERRIDES = {"billiard", "celery", "gunicorn", "http", "kombu", "requests", "urllib3"}
PRIVATE_OVERRIDES = {"django", "rest_framework", "tornado", "unfold"}
# Attributes that metaclasses make.
GENERATED = {"_abc_impl", "_declared_fields"}
# https://docs.celeryq.dev/en/stable/userguide/extending.html documents steps and their methods.
DOCUMENTED = {"celery.bootsteps"}
# Attributes of classes that are no callables; SPELLED has them.
PLAIN = {
    "celery.app.events:Events.dispatcher_cls",
    "celery.app.events:Events.receiver_cls",
    "celery.concurrency.prefork:TaskPool.Pool",
    "http.client:HTTPConnection.response_class",
    "kombu.transport.SQS:Transport.Channel",
    "kombu.transport.virtual.base:Channel.Message",
    "kombu.transport.virtual.base:Channel.body_encoding",
    "urllib3.connection:HTTPConnection.is_connected",
    "urllib3.connectionpool:HTTPConnectionPool.ConnectionCls",
    "urllib3.connectionpool:HTTPSConnectionPool.ConnectionCls",
}
# Routes of Flower that ask nobody who they are. `waproject.bus.flower` makes Metrics ask.
OPEN_ROUTES = {"Healthcheck", "LogoutHandler", "Metrics", "NotFoundErrorHandler", "StaticFileHandler"}


def requirements() -> list[Requirement]:
    """Every requirement of requirements/*.in."""
    lines = [line for file in (CHECKOUT / "requirements").glob("*.in") for line in file.read_text().splitlines()]
    return [Requirement(line) for line in lines if line and not line.startswith(("#", "-"))]


@pytest.mark.parametrize("library", VERSIONS)
def test_a_library_whose_internals_we_use_is_pinned_to_the_version_that_was_read(library: str) -> None:
    pinned = {str(each.specifier) for each in requirements() if each.name == library}
    assert pinned == {f"=={version}" for version in VERSIONS[library]}


@pytest.mark.parametrize("library", VERSIONS)
def test_the_installed_version_is_one_that_was_read(library: str) -> None:
    assert metadata.version(library) in VERSIONS[library]


def test_every_route_of_flower_asks_for_a_login_except_the_open_ones() -> None:
    assert {handler.__name__ for handler in flower_handlers() if not asks(handler)} <= OPEN_ROUTES


def flower_handlers() -> set[type[RequestHandler]]:
    """The classes behind Flower's routes."""
    return {route.handler_class if isinstance(route, URLSpec) else route[1] for route in handlers}


def asks(handler: type[RequestHandler]) -> bool:
    """Whether each of its methods passes `tornado.web.authenticated`, which marks what it wraps."""
    methods = [getattr(handler, name.lower()) for name in RequestHandler.SUPPORTED_METHODS if name != "OPTIONS"]
    own = [method for method in methods if method is not RequestHandler._unimplemented_method]
    return all(hasattr(method, "__wrapped__") for method in own)


@pytest.mark.parametrize("place", SIGNATURES)
def test_what_we_override_or_call_still_takes_the_same_parameters(place: str) -> None:
    marks: dict[Any, str] = {inspect.Parameter.VAR_POSITIONAL: "*", inspect.Parameter.VAR_KEYWORD: "**"}
    function = inspect.unwrap(found(place))
    parameters = inspect.signature(function).parameters.values()
    assert " ".join(marks.get(each.kind, "") + each.name for each in parameters) == SIGNATURES[place]


@pytest.mark.parametrize("place", sorted(PLAIN))
def test_a_class_attribute_that_we_override_still_exists(place: str) -> None:
    found(place)


@pytest.mark.parametrize(
    ("module", "spelled"), [(name, one) for name, those in SPELLED.items() for one in sorted(those)]
)
def test_the_source_still_has_the_name_that_we_replace_read_or_set(module: str, spelled: str) -> None:
    assert spelled in inspect.getsource(importlib.import_module(module))


@pytest.mark.parametrize("name", sorted(BLOCKS))
def test_the_admins_templates_still_have_the_blocks_that_we_fill(name: str) -> None:
    assert BLOCKS[name] <= set(blocks(name))


@pytest.mark.parametrize("module", sorted(UNFOLD_NAMES))
def test_unfold_still_has_the_classes_of_our_admin(module: str) -> None:
    assert set(UNFOLD_NAMES[module]) <= vars(importlib.import_module(module)).keys()


def test_every_override_of_a_librarys_internals_is_in_the_tables() -> None:
    assert set(overridden()) - SIGNATURES.keys() - PLAIN == set()


def test_the_page_names_everything_in_the_tables() -> None:
    named = [place.rpartition(":")[2] for place in [*SIGNATURES, *PLAIN]]
    assert [name for name in named if f"`{name}`" not in PAGE] == []


def found(place: str) -> Any:
    """What `module:Class.name` is. Raises AttributeError where it is gone."""
    module, _, path = place.partition(":")
    value: Any = importlib.import_module(module)
    for name in path.split("."):
        value = getattr(value, name)
    return value


def blocks(name: str) -> list[str]:
    """The blocks of a template and of those that it extends."""
    source = Path(str(get_template(name).origin.name)).read_text()  # type: ignore[attr-defined]
    parent = re.search(r"{% extends ['\"]([^'\"]+)['\"]", source)
    return re.findall(r"{% block (\w+)", source) + (blocks(parent[1]) if parent else [])


def overridden() -> Iterator[str]:
    """Each attribute of a library's class that a class of ours defines anew, as `module:Class.name`."""
    for module in modules():
        for cls in vars(module).values():
            if inspect.isclass(cls) and cls.__module__ == module.__name__:
                yield from overrides_of(cls)


def modules() -> Iterator[ModuleType]:
    """Every module of ours that can be imported without starting something."""
    for package in PACKAGES:
        for module in pkgutil.walk_packages(importlib.import_module(package).__path__, f"{package}."):
            if not re.search(r"__main__|\.migrations|\.wsgi$", module.name):
                yield importlib.import_module(module.name)


def overrides_of(cls: type) -> Iterator[str]:
    ours = [one for one in cls.__mro__ if one.__module__.partition(".")[0] in PACKAGES]
    theirs = [one for one in cls.__mro__ if one not in ours]
    for one in ours:
        for name in vars(one):
            base = next((base for base in theirs if name in vars(base)), None)
            if base and is_listed(base, name):
                yield f"{base.__module__}:{base.__qualname__}.{name}"


def is_listed(base: type, name: str) -> bool:
    """Whether this attribute of a library's class is one whose override has to be listed."""
    library = base.__module__.partition(".")[0]
    if base.__module__ in DOCUMENTED or name in GENERATED or (name.startswith("__") and name != "__init__"):
        return False
    return library in ALL_OVERRIDES or (library in PRIVATE_OVERRIDES and re.match(r"_[a-z]", name) is not None)
