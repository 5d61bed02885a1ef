"""deploy/service.yaml: what runs where, with which settings, and how it grows; asserted on the template."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from deploy.local import procfile
from testkit.ports import free_port
from tests.deploy.aws.templates import ALL_SERVICES, DEPLOY, INFRASTRUCTURE, Cloud, known_locally, parsed
from tests.environment import PREFIXES
from tests.processes import CHECKOUT
from tests.waiting import PATIENCE_S
from waproject.queues import LANES
from waproject.web import gunicorn_config

SERVICE = DEPLOY / "service.yaml"
TEMPLATE = parsed(SERVICE)
RESOURCES: dict[str, dict[str, Any]] = TEMPLATE["Resources"]
COMMANDS = procfile.read(CHECKOUT / "Procfile")
SECRETS = {"DJANGO_SECRET_KEY", "WA_ACCESS_TOKEN", "WA_APP_SECRET", "WA_WEBHOOK_VERIFY_TOKEN"}
SECRETS |= {"DATABASE_PASSWORD", "METRICS_TOKEN", "WA_APP_SECRET_PREVIOUS"}
SETTINGS = (CHECKOUT / "waproject" / "settings.py").read_text()
# LEAST({DBInstanceClassMemory / 9531392}, 5000) at db.t4g.small, whose 2 GiB are not all of PostgreSQL.
CONNECTIONS = 2 * 1024**3 / 9531392
# Addresses that let whoever knows them write there.
REPORTS = {"ALERT_WEBHOOK_URL": "https://hooks.example.com/T0/B0", "SENTRY_DSN": ""}
PARAMETERS = {
    "Image": "000000000000.dkr.ecr.us-east-1.amazonaws.com/pipeline:1",
    "HostName": "wa.example.com",
    "CertificateArn": "arn:aws:acm:us-east-1:000000000000:certificate/8a6f0c3e-0000-4000-8000-000000000000",
    "PipelineSecretArn": "arn:aws:secretsmanager:us-east-1:000000000000:secret:pipeline-AbCdEf",
    "PhoneNumberId": "106540352242922",
}


def of_type(kind: str) -> dict[str, dict[str, Any]]:
    return {name: each["Properties"] for name, each in RESOURCES.items() if each["Type"] == kind}


def container(process: str) -> dict[str, Any]:
    (found,) = RESOURCES[f"{process.capitalize()}Task"]["Properties"]["ContainerDefinitions"]
    return dict(found)


def service(process: str) -> dict[str, Any]:
    return dict(RESOURCES[f"{process.capitalize()}Service"]["Properties"])


def named(entries: list[dict[str, Any]], value: str = "Value") -> dict[str, Any]:
    return {entry["Name"]: entry[value] for entry in entries}


def test_there_is_a_service_for_each_process_of_the_procfile_and_no_other() -> None:
    assert set(of_type("AWS::ECS::Service")) == {f"{name.capitalize()}Service" for name in COMMANDS}


@pytest.mark.parametrize("process", COMMANDS)
def test_a_container_runs_the_procfiles_command(process: str) -> None:
    assert container(process)["Command"] == [process]


def test_migrations_are_a_task_of_their_own() -> None:
    assert container("migrate")["Command"][:3] == ["python", "manage.py", "migrate"]


def test_commands_of_manage_py_may_do_what_the_web_process_may() -> None:
    roles = {
        RESOURCES[f"{name}Task"]["Properties"]["TaskRoleArn"]["Fn::ImportValue"]["Fn::Sub"]
        for name in ("Migrate", "Web")
    }
    assert len(roles) == 1


@pytest.mark.parametrize("process", COMMANDS)
def test_a_process_has_its_own_role(process: str) -> None:
    role = RESOURCES[f"{process.capitalize()}Task"]["Properties"]["TaskRoleArn"]
    output = role["Fn::ImportValue"]["Fn::Sub"].rpartition("-")[2]
    assert output == f"{process.capitalize()}RoleArn"
    assert output in parsed(INFRASTRUCTURE)["Outputs"]


@pytest.mark.parametrize("process", [*COMMANDS, "migrate"])
def test_a_container_is_read_only_and_gets_its_secrets_from_secrets_manager(process: str) -> None:
    found = container(process)
    assert found["ReadonlyRootFilesystem"] is True
    assert [point["ContainerPath"] for point in found["MountPoints"]] == ["/tmp"]  # noqa: S108
    assert set(named(found["Secrets"], "ValueFrom")) >= SECRETS | REPORTS.keys()
    plain = set(named(found["Environment"]))
    assert plain & (SECRETS | REPORTS.keys()) == set()
    assert [name for name in plain if re.search("SECRET|TOKEN|PASSWORD|DATABASE_URL", name)] == []


@pytest.mark.parametrize("process", COMMANDS)
def test_a_container_is_asked_for_its_own_heartbeat(process: str) -> None:
    command = container(process)["HealthCheck"]["Command"]
    assert command[:4] == ["CMD", "python", "-m", "waproject.heartbeat"]
    assert [url.rpartition(":")[2] for url in command[4:]] == {
        "web": ["8000/health/live"],
        "flower": ["5555/healthcheck"],
    }.get(process, [])


@pytest.mark.parametrize("process", COMMANDS)
def test_a_container_has_the_time_to_finish_its_task(process: str) -> None:
    # 120 s is the most that Fargate takes; cfn-lint does not know.
    assert max(lane.task_time_limit for lane in LANES.values()) < container(process)["StopTimeout"] <= 120
    assert container(process)["LinuxParameters"] == {"InitProcessEnabled": True}


@pytest.mark.parametrize("process", ["beat", "flower"])
def test_two_of_a_kind_never_run_at_once(process: str) -> None:
    found = service(process)
    assert found["DesiredCount"] == {"Fn::If": ["Runs", 1, 0]}
    deployment = found["DeploymentConfiguration"]
    assert (deployment["MinimumHealthyPercent"], deployment["MaximumPercent"]) == (0, 100)
    assert found["AvailabilityZoneRebalancing"] == "DISABLED"
    assert not any(process.capitalize() in json.dumps(each) for each in of_type(SCALABLE).values())


SCALABLE = "AWS::ApplicationAutoScaling::ScalableTarget"


@pytest.mark.parametrize("process", COMMANDS)
def test_a_deployment_that_fails_is_rolled_back(process: str) -> None:
    breaker = service(process)["DeploymentConfiguration"]["DeploymentCircuitBreaker"]
    assert breaker == {"Enable": True, "Rollback": True}


@pytest.mark.parametrize("process", COMMANDS)
def test_only_workers_beyond_the_first_run_on_spot(process: str) -> None:
    strategy = {each["CapacityProvider"]: each for each in service(process)["CapacityProviderStrategy"]}
    assert ("FARGATE_SPOT" in strategy) == (process in LANES)
    assert strategy["FARGATE"].get("Base", 1) == 1


def value_of(expression: str, **values: float) -> float:
    """What CloudWatch makes of an IF."""
    condition, then, other = re.fullmatch(r"IF\((.+), (.+), (.+)\)", expression).groups()  # type: ignore[union-attr]
    chosen = then if eval(condition, {}, values) else other  # noqa: S307 - our own template
    return float(eval(chosen, {}, values))  # noqa: S307


@pytest.mark.parametrize("lane", LANES)
@pytest.mark.parametrize(
    ("waiting", "running", "backlog"), [(0, 0, 0), (900, 0, 900), (900, 1, 900), (900, 3, 300), (0, 4, 0)]
)
def test_a_lane_grows_by_its_backlog_per_task(lane: str, waiting: float, running: float, backlog: float) -> None:
    scaling = RESOURCES[f"{lane.capitalize()}Policy"]["Properties"]["TargetTrackingScalingPolicyConfiguration"]
    metrics = {metric["Id"]: metric for metric in scaling["CustomizedMetricSpecification"]["Metrics"]}
    assert [name for name, metric in metrics.items() if metric["ReturnData"]] == ["backlog"]
    assert value_of(metrics["backlog"]["Expression"], waiting=waiting, running=running) == backlog


@pytest.mark.parametrize("lane", LANES)
def test_a_lane_grows_fast_and_shrinks_slowly_and_never_to_nothing(lane: str) -> None:
    scaling = RESOURCES[f"{lane.capitalize()}Policy"]["Properties"]["TargetTrackingScalingPolicyConfiguration"]
    assert (scaling["ScaleOutCooldown"], scaling["ScaleInCooldown"]) == (60, 300)
    target = RESOURCES[f"{lane.capitalize()}Scaling"]["Properties"]
    assert target["MinCapacity"] == 1
    queue, tasks = (
        metric["MetricStat"]["Metric"]
        for metric in scaling["CustomizedMetricSpecification"]["Metrics"]
        if "MetricStat" in metric
    )
    assert (queue["MetricName"], tasks["MetricName"]) == ("ApproximateNumberOfMessagesVisible", "RunningTaskCount")
    assert f"{lane.capitalize()}QueueUrl" in json.dumps(queue["Dimensions"])
    assert f"{lane.capitalize()}Service" in json.dumps(tasks["Dimensions"])


def test_a_deployment_leaves_the_number_of_scaled_tasks_alone() -> None:
    for process in ("web", *LANES):
        assert service(process)["DesiredCount"] == {"Fn::If": ["Runs", {"Ref": "AWS::NoValue"}, 0]}


def test_flower_is_reached_from_the_network_that_is_named_and_the_tasks_from_no_other() -> None:
    web, flower = RESOURCES["TaskSecurityGroup"]["Properties"]["SecurityGroupIngress"]
    condition, rule, _ = flower["Fn::If"]
    assert (rule["FromPort"], rule["ToPort"], rule["CidrIp"]) == (5555, 5555, {"Ref": "FlowerFrom"})
    assert {"Fn::Not": [{"Fn::Equals": [{"Ref": "FlowerFrom"}, ""]}]} in TEMPLATE["Conditions"][condition]["Fn::And"]
    assert web["Fn::If"][1]["SourceSecurityGroupId"] == {"Ref": "BalancerSecurityGroup"}
    taken = TEMPLATE["Parameters"]["FlowerFrom"]["AllowedPattern"]
    assert [bool(re.fullmatch(taken, each)) for each in ("", "10.77.0.0/16", "0.0.0.0/0", "172.32.0.0/16")] == [
        True, True, False, False,
    ]  # fmt: skip


def test_the_load_balancer_serves_https_alone() -> None:
    listeners = of_type("AWS::ElasticLoadBalancingV2::Listener")
    actions = {each["Protocol"]: each["DefaultActions"][0] for each in listeners.values()}
    assert (actions["HTTPS"]["Type"], actions["HTTP"]["Type"]) == ("forward", "redirect")
    assert actions["HTTP"]["RedirectConfig"]["Protocol"] == "HTTPS"
    (group,) = of_type("AWS::ElasticLoadBalancingV2::TargetGroup").values()
    assert group["HealthCheckPath"] == "/health/ready"


@pytest.mark.parametrize("process", COMMANDS)
@pytest.mark.parametrize(
    ("desired", "running", "fires"),
    # A service whose desired count stayed at 0, or was set to it by hand, runs nothing either.
    [(2, 2, False), (2, 1, True), (1, 0, True), (1, 2, False), (0, 0, True)],
)
def test_an_alarm_sees_that_a_process_is_missing(process: str, desired: float, running: float, fires: bool) -> None:
    alarm = RESOURCES[f"{process.capitalize()}Missing"]["Properties"]
    metrics = {metric["Id"]: metric for metric in alarm["Metrics"]}
    assert (alarm["ComparisonOperator"], alarm["Threshold"]) == ("GreaterThanThreshold", 0)
    assert (value_of(metrics["missing"]["Expression"], desired=desired, running=running) > 0) == fires
    assert alarm["TreatMissingData"] == "breaching"
    names = {metric["Id"]: metric["MetricStat"]["Metric"]["MetricName"] for metric in alarm["Metrics"][1:]}
    assert names == {"desired": "DesiredTaskCount", "running": "RunningTaskCount"}


@pytest.mark.parametrize("process", COMMANDS)
def test_no_alarm_misses_a_process_where_none_is_to_run(process: str) -> None:
    """While a database is restored, for example."""
    condition = RESOURCES[f"{process.capitalize()}Missing"]["Condition"]
    parts = TEMPLATE["Conditions"][condition].get("Fn::And", [])
    assert condition == "Runs" or {"Condition": "Runs"} in parts


def test_an_alarm_sees_that_nobody_is_connected_to_the_database() -> None:
    """The pipeline's own alerts need the database, and the health checks of containers do not ask for it."""
    alarm = RESOURCES["DatabaseAway"]["Properties"]
    assert (alarm["MetricName"], alarm["Statistic"]) == ("DatabaseConnections", "Maximum")
    assert (alarm["ComparisonOperator"], alarm["Threshold"]) == ("LessThanThreshold", 1)
    assert alarm["TreatMissingData"] == "breaching"


def test_an_alarm_sees_that_the_connections_to_the_database_run_out() -> None:
    alarm = RESOURCES["DatabaseCrowded"]["Properties"]
    assert (alarm["MetricName"], alarm["ComparisonOperator"]) == ("DatabaseConnections", "GreaterThanThreshold")
    assert alarm["Threshold"] == {"Ref": "DatabaseConnections"}
    assert TEMPLATE["Parameters"]["DatabaseConnections"]["Default"] < CONNECTIONS * 0.8


def test_web_at_its_most_tasks_does_not_open_more_connections_than_the_alarm_allows() -> None:
    """Each request thread keeps one, and they all do while the database is slow."""
    (web_workers,) = re.findall(r'^WEB_WORKERS = env.whole\("WEB_WORKERS", (\d+)', SETTINGS, flags=re.M)
    most = TEMPLATE["Parameters"]["MaxTasks"]["Default"] * int(web_workers) * gunicorn_config.threads
    assert most < TEMPLATE["Parameters"]["DatabaseConnections"]["Default"]


@pytest.mark.parametrize(
    ("name", "metric"),
    [("WebErrors", "HTTPCode_Target_5XX_Count"), ("WebUnreachable", "HTTPCode_ELB_5XX_Count")],
)
def test_alarms_see_requests_that_fail(name: str, metric: str) -> None:
    alarm = RESOURCES[name]["Properties"]
    assert (alarm["Namespace"], alarm["MetricName"], alarm["Statistic"]) == ("AWS/ApplicationELB", metric, "Sum")
    assert [each["Name"] for each in alarm["Dimensions"]] == ["LoadBalancer"]
    assert alarm["TreatMissingData"] == "notBreaching"  # CloudWatch has no zeros of these


def test_web_grows_by_its_cpu_as_a_bulk_of_a_thousand_is_one_request() -> None:
    scaling = RESOURCES["WebCpuPolicy"]["Properties"]["TargetTrackingScalingPolicyConfiguration"]
    predefined = scaling["PredefinedMetricSpecification"]["PredefinedMetricType"]
    assert (predefined, scaling["TargetValue"]) == ("ECSServiceAverageCPUUtilization", 70)


def test_nothing_is_logged_without_an_end() -> None:
    assert all("RetentionInDays" in group for group in of_type("AWS::Logs::LogGroup").values())
    # RDS makes the log group of an export itself, which never expires; PostgreSQL quotes texts in it.
    assert "EnableCloudwatchLogsExports" not in RESOURCES["Database"]["Properties"]


@pytest.mark.parametrize("lane", LANES)
def test_alarms_see_dead_letters_and_an_old_message(lane: str) -> None:
    letters, late = (RESOURCES[f"{lane.capitalize()}{kind}"]["Properties"] for kind in ("DeadLetters", "Late"))
    assert (letters["MetricName"], letters["Threshold"]) == ("ApproximateNumberOfMessagesVisible", 0)
    assert late["MetricName"] == "ApproximateAgeOfOldestMessage"


def test_the_database_is_encrypted_private_saved_and_outlives_the_stack() -> None:
    database = RESOURCES["Database"]
    found = database["Properties"]
    assert (found["StorageEncrypted"], found["PubliclyAccessible"]) == (True, False)
    assert database["DeletionPolicy"] == "Snapshot"
    assert "resolve:secretsmanager" in json.dumps(found["MasterUserPassword"])


def test_the_database_grows_to_ten_times_its_first_size_before_its_disk_is_full() -> None:
    found = RESOURCES["Database"]["Properties"]
    assert found["AllocatedStorage"] == {"Ref": "DatabaseStorage"}
    assert found["MaxAllocatedStorage"] == {"Fn::Sub": "${DatabaseStorage}0"}
    assert int(f"{TEMPLATE['Parameters']['DatabaseStorage']['MaxValue']}0") <= 65536  # the most of gp3, in GiB


def test_the_alerts_of_the_monitor_can_leave_it() -> None:
    secret = RESOURCES["ReportsSecret"]["Properties"]["SecretString"]["Fn::Sub"]
    address = REPORTS["ALERT_WEBHOOK_URL"]
    filled_in = json.loads(secret.replace("${AlertWebhookUrl}", address).replace("${SentryDsn}", ""))
    assert filled_in == REPORTS
    assert named(container("monitor")["Secrets"], "ValueFrom")["ALERT_WEBHOOK_URL"] == {
        "Fn::Sub": "${ReportsSecret}:ALERT_WEBHOOK_URL::"
    }


@pytest.mark.parametrize("name", ["AlertWebhookUrl", "SentryDsn"])
@pytest.mark.parametrize(
    ("value", "taken"),
    [("", True), ("https://hooks.example.com/services/T0/B0/x1", True), ("http://x/", False), ('https://x/"', False)],
)
def test_an_address_for_reports_is_not_shown_and_keeps_its_secret_json(name: str, value: str, taken: bool) -> None:
    parameter = TEMPLATE["Parameters"][name]
    assert parameter["NoEcho"]
    assert bool(re.fullmatch(parameter["AllowedPattern"], value)) == taken


def test_the_execution_role_reads_the_secrets_that_containers_name_and_no_other() -> None:
    secrets, _ = RESOURCES["ExecutionRole"]["Properties"]["Policies"]
    (statement,) = secrets["PolicyDocument"]["Statement"]
    assert statement["Action"] == "secretsmanager:GetSecretValue"
    readable = {each["Ref"] for each in statement["Resource"]}
    used = {name for process in [*COMMANDS, "migrate"] for name in _secrets_of(container(process))}
    assert used == readable


def _secrets_of(found: dict[str, Any]) -> Iterator[str]:
    for source in named(found["Secrets"], "ValueFrom").values():
        yield str(source["Ref"]) if "Ref" in source else re.findall(r"\$\{(\w+)\}", source["Fn::Sub"])[0]


@pytest.mark.parametrize("process", [*COMMANDS, "migrate"])
def test_all_containers_have_the_same_settings(process: str) -> None:
    bus = {"SQS_MONITOR_QUEUE_URL"} if process == "flower" else set()  # it runs where there is a bus
    mine, webs = (named(container(each)["Environment"]) for each in (process, "web"))
    assert {name for name in mine.keys() | webs.keys() if mine.get(name) != webs.get(name)} == bus
    mine, webs = (named(container(each)["Secrets"], "ValueFrom") for each in (process, "web"))
    assert {name for name in mine.keys() | webs.keys() if mine.get(name) != webs.get(name)} == (
        {"FLOWER_BASIC_AUTH"} if process == "flower" else set()
    )


@pytest.mark.slow("starts processes of the pipeline")
@pytest.mark.parametrize("process", ["web", "flower"])
def test_a_container_has_every_variable_that_its_process_needs(process: str) -> None:
    found = container(process)
    env = {name: value for name, value in os.environ.items() if not name.startswith((*PREFIXES, "DEPLOYMENT"))}
    env |= {name: _example(name, value) for name, value in named(found["Environment"]).items()}
    env |= {name: f"secret-of-{name}-{'x1Y2' * 12}" for name in named(found["Secrets"], "ValueFrom")} | REPORTS
    command = [sys.executable, "manage.py", "check", "--fail-level", "WARNING"]
    done = subprocess.run(
        command, env=env, cwd=CHECKOUT, capture_output=True, text=True, check=False, timeout=PATIENCE_S
    )
    assert done.returncode == 0, done.stderr


def _example(name: str, value: Any) -> str:
    """What CloudFormation would put there, or something of its form."""
    if isinstance(value, str):
        return value
    if re.fullmatch(r"SQS_\w+_URL", name):
        return f"https://sqs.us-east-1.amazonaws.com/000000000000/{name.lower().replace('_', '-')}"
    examples: dict[str, str] = {
        "AWS_REGION": "us-east-1",
        "WA_GRAPH_URL": TEMPLATE["Parameters"]["GraphUrl"]["Default"],
        "WA_MEDIA_HOSTS": TEMPLATE["Parameters"]["MediaHosts"]["Default"],
        "WA_PHONE_NUMBER_ID": PARAMETERS["PhoneNumberId"],
        "DATABASE_HOST": "db.example.com",
        "MEDIA_S3_BUCKET": "bucket",
        "DJANGO_ALLOWED_HOSTS": "wa.example.com",
        "DJANGO_CSRF_TRUSTED_ORIGINS": "https://wa.example.com",
        "BASE_URL": "https://wa.example.com",
        "SQS_KMS_KEY_ARN": "arn:aws:kms:us-east-1:000000000000:key/8a6f0c3e-0000-4000-8000-000000000000",
        "OTEL_EXPORTER_OTLP_ENDPOINT": "",
    }
    return examples[name]


def test_app_runner_gets_the_settings_of_the_web_container() -> None:
    source = RESOURCES["AppRunnerService"]["Properties"]["SourceConfiguration"]["ImageRepository"]["ImageConfiguration"]
    web = container("web")
    assert named(source["RuntimeEnvironmentVariables"]) == named(web["Environment"])
    assert named(source["RuntimeEnvironmentSecrets"]) == named(web["Secrets"], "ValueFrom")


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    """A local CloudFormation with all services that the template asks for."""
    made = Cloud(tmp_path_factory.mktemp("cloud") / "state", free_port(), ALL_SERVICES)
    made.server.start()
    yield made
    made.server.stop()


@pytest.mark.slow("creates a CloudFormation stack")
def test_the_local_cloudformation_makes_what_it_knows(cloud: Cloud, tmp_path: Path) -> None:
    cloud.deploy(INFRASTRUCTURE)
    reduced = tmp_path / "service.json"
    reduced.write_text(json.dumps(known_locally(TEMPLATE)))
    made = cloud.deploy(reduced, "wa-app-service", **PARAMETERS, Flower="true")
    services = cloud.client("ecs").list_services(cluster=made["ClusterName"], maxResults=100)["serviceArns"]
    assert {arn.rpartition("wa-app-service-")[2] for arn in services} == set(COMMANDS)
