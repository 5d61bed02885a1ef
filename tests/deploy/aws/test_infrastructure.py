"""deploy/infrastructure.yaml: the queues, the bucket and the roles that it makes."""

import json
from typing import Any

import pytest

from tests.deploy.aws.templates import ACCOUNT, INFRASTRUCTURE, MAX_BODY_BYTES, REGION, STACK, Cloud, parsed
from waproject.queues import LANES
from waproject.sqs.control import DLQ_RETENTION_S, MAX_MESSAGE_BYTES, QUEUE_RETENTION_S

KEY = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/8a6f0c3e-0000-4000-8000-000000000000"
QUEUE_OUTPUTS = {f"{lane.capitalize()}{kind}Url" for lane in LANES for kind in ("Queue", "Dlq")}


@pytest.fixture
def bucket() -> dict[str, Any]:
    """The bucket's properties; the local CloudFormation makes neither its encryption nor its lifecycle."""
    return dict(parsed(INFRASTRUCTURE)["Resources"]["MediaBucket"]["Properties"])


def arn(name: str) -> str:
    return f"arn:aws:sqs:{REGION}:{ACCOUNT}:{STACK}-{name}"


@pytest.mark.parametrize("lane", LANES.values(), ids=lambda lane: lane.name)
def test_a_queue_is_as_the_table_of_queues_says(cloud: Cloud, outputs: dict[str, str], lane: Any) -> None:
    queue = cloud.queue(outputs[f"{lane.name.capitalize()}QueueUrl"])
    assert queue["QueueArn"] == arn(lane.name)
    assert queue["VisibilityTimeout"] == str(lane.visibility_timeout)
    assert queue["MessageRetentionPeriod"] == str(QUEUE_RETENTION_S)
    assert queue["MaximumMessageSize"] == str(MAX_MESSAGE_BYTES)
    assert queue["ReceiveMessageWaitTimeSeconds"] == "20"
    policy = json.loads(queue["RedrivePolicy"])
    assert (policy["deadLetterTargetArn"], int(policy["maxReceiveCount"])) == (
        arn(f"{lane.name}-dlq"),
        lane.max_receives,
    )


@pytest.mark.parametrize("lane", LANES)
def test_a_dead_letter_queue_keeps_for_longer_and_takes_from_its_own_queue_alone(
    cloud: Cloud, outputs: dict[str, str], lane: str
) -> None:
    queue = cloud.queue(outputs[f"{lane.capitalize()}DlqUrl"])
    assert queue["MessageRetentionPeriod"] == str(DLQ_RETENTION_S)
    assert queue["MaximumMessageSize"] == str(MAX_MESSAGE_BYTES)
    allowed = json.loads(queue["RedriveAllowPolicy"])
    assert allowed == {"redrivePermission": "byQueue", "sourceQueueArns": [arn(lane)]}


@pytest.mark.parametrize("output", sorted(QUEUE_OUTPUTS))
def test_each_queue_refuses_what_comes_without_tls(cloud: Cloud, outputs: dict[str, str], output: str) -> None:
    queue = cloud.queue(outputs[output])
    (statement,) = json.loads(queue["Policy"])["Statement"]
    assert (statement["Effect"], statement["Principal"], statement["Action"]) == ("Deny", "*", "sqs:*")
    assert statement["Resource"] == queue["QueueArn"]
    assert statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}


def test_queues_are_encrypted_by_sqs_where_no_key_is_given(cloud: Cloud, outputs: dict[str, str]) -> None:
    queues = [cloud.queue(outputs[name]) for name in QUEUE_OUTPUTS]
    assert {(queue["SqsManagedSseEnabled"], "KmsMasterKeyId" in queue) for queue in queues} == {("true", False)}


def test_queues_are_encrypted_by_the_key_that_is_given(cloud: Cloud, outputs: dict[str, str]) -> None:
    # A stack beside the first one; its queues have its own name.
    keyed = cloud.deploy(INFRASTRUCTURE, "keyed", KmsKeyArn=KEY)
    queues = [cloud.queue(keyed[name]) for name in QUEUE_OUTPUTS]
    assert {(queue.get("SqsManagedSseEnabled"), queue["KmsMasterKeyId"]) for queue in queues} == {(None, KEY)}


def test_the_bucket_is_private_and_for_tls_alone(cloud: Cloud, outputs: dict[str, str]) -> None:
    s3, bucket = cloud.client("s3"), outputs["MediaBucketName"]
    blocked = s3.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"]
    assert set(blocked.values()) == {True} and len(blocked) == 4
    (statement,) = json.loads(s3.get_bucket_policy(Bucket=bucket)["Policy"])["Statement"]
    assert (statement["Effect"], statement["Action"]) == ("Deny", "s3:*")
    assert statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}


def test_files_are_encrypted_by_s3_or_by_the_key(bucket: dict[str, Any]) -> None:
    (rule,) = bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    assert rule["ServerSideEncryptionByDefault"] == {
        "SSEAlgorithm": {"Fn::If": ["HasKey", "aws:kms", "AES256"]},
        "KMSMasterKeyID": {"Fn::If": ["HasKey", {"Ref": "KmsKeyArn"}, {"Ref": "AWS::NoValue"}]},
    }


def test_files_expire_only_where_days_are_given(bucket: dict[str, Any]) -> None:
    _, expiry = bucket["LifecycleConfiguration"]["Rules"]
    rule = {"Id": "Files", "Status": "Enabled", "ExpirationInDays": {"Ref": "MediaRetentionDays"}}
    assert expiry == {"Fn::If": ["MediaExpires", rule, {"Ref": "AWS::NoValue"}]}


def test_a_second_deployment_keeps_queues_and_messages(cloud: Cloud, outputs: dict[str, str]) -> None:
    sqs, url = cloud.client("sqs"), outputs["IncomingQueueUrl"]
    sqs.send_message(QueueUrl=url, MessageBody="waits")
    assert cloud.deploy(INFRASTRUCTURE, MediaRetentionDays="7") == outputs
    assert cloud.queue(url)["ApproximateNumberOfMessages"] == "1"
    sqs.purge_queue(QueueUrl=url)


def test_the_outputs_are_the_six_urls_the_bus_the_bucket_and_a_role_per_process(outputs: dict[str, str]) -> None:
    from deploy.local import procfile
    from tests.processes import CHECKOUT

    processes = procfile.read(CHECKOUT / "Procfile")
    assert set(outputs) == (
        QUEUE_OUTPUTS | {"MonitorQueueUrl", "MediaBucketName"} | {f"{name.capitalize()}RoleArn" for name in processes}
    )


def test_the_template_is_small_enough_to_be_deployed_without_a_bucket_for_it() -> None:
    assert len(INFRASTRUCTURE.read_bytes()) <= MAX_BODY_BYTES


def test_no_role_may_do_everything_and_none_has_a_name_of_its_own() -> None:
    resources = parsed(INFRASTRUCTURE)["Resources"].values()
    roles = [each["Properties"] for each in resources if each["Type"] == "AWS::IAM::Role"]
    assert roles and not any("RoleName" in role for role in roles)  # a name would need CAPABILITY_NAMED_IAM
    actions = json.dumps([role["Policies"] for role in roles])
    assert "sqs:*" not in actions and "s3:*" not in actions
