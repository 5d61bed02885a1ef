"""The paths of the Graph API, under any version."""

from __future__ import annotations

from tornado.web import RequestHandler

from . import account, media, messages, templates

# The first that matches answers.
ROUTES: list[tuple[str, type[RequestHandler]]] = [
    (messages.MESSAGES_PATH, messages.MessagesHandler),
    (messages.MARKETING_PATH, messages.MarketingHandler),
    (media.UPLOAD_PATH, media.UploadHandler),
    (account.DEBUG_TOKEN_PATH, account.DebugTokenHandler),
    (account.NUMBERS_PATH, account.NumbersHandler),
    (account.SUBSCRIBED_APPS_PATH, account.SubscribedAppsHandler),
    (account.SUBSCRIPTIONS_PATH, account.SubscriptionsHandler),
    (account.REGISTER_PATH, account.RegisterHandler),
    (templates.TEMPLATES_PATH, templates.TemplatesHandler),
    (media.MEDIA_PATH, templates.NodeOrTemplateHandler),
    (media.FILE_PATH, media.FileHandler),
]
