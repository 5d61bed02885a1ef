"""The CloudFormation templates, parsed, and stacks made of them on a local CloudFormation."""

import time
from collections.abc import Mapping
from copy import deepcopy
from functools import cache
from pathlib import Path
from threading import Lock
from typing import Any

import boto3
import cfnlint.decode
from botocore.exceptions import WaiterError

from deploy.local.sqs import Sqs

DEPLOY = Path(__file__).resolve().parents[3] / "deploy"
INFRASTRUCTURE = DEPLOY / "infrastructure.yaml"
REGION = "us-east-1"
ACCOUNT = "000000000000"
STACK = "wa-app-sqs"
# https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html
MAX_BODY_BYTES = 51_200
SERVICES = "sqs,sns,cloudformation,iam,s3,kms,sts"
ALL_SERVICES = f"{SERVICES},ec2,ecs,ecr,acm,elasticloadbalancing,rds,secretsmanager,cloudwatch,logs"
_LOCK = Lock()
# What the local CloudFormation refuses to make.
NOT_LOCAL = {
    "AWS::ApplicationAutoScaling::ScalableTarget",
    "AWS::ApplicationAutoScaling::ScalingPolicy",
    "AWS::AppRunner::Service",
    "AWS::AppRunner::VpcConnector",
}


def parsed(path: Path) -> dict[str, Any]:
    """A template with its intrinsic functions in their long form: {"Ref": …}, {"Fn::Sub": …}; the caller's own."""
    return deepcopy(_parsed(path))


@cache
def _parsed(path: Path) -> dict[str, Any]:
    template, problems = cfnlint.decode.decode(str(path))
    assert not problems, problems
    assert template is not None
    return dict(template)


def known_locally(template: dict[str, Any]) -> dict[str, Any]:
    """A template without what the local CloudFormation does not make. Of alarms it knows those of one metric."""

    def is_known(resource: dict[str, Any]) -> bool:
        return (
            resource["Type"] not in NOT_LOCAL
            and resource.get("Condition") != "AppRunner"
            and "Metrics" not in resource.get("Properties", {})
        )

    known = {name: each for name, each in template["Resources"].items() if is_known(each)}
    # It reads both branches of an If, and so asks for App Runner's address.
    outputs = {
        name: {**each, "Value": each["Value"]["Fn::If"][1]} if name == "Address" else each
        for name, each in template["Outputs"].items()
    }
    return {**template, "Resources": known, "Outputs": outputs}


@cache
def _session() -> boto3.session.Session:
    """One for all clients, as it keeps the description of each service, which takes half a second to read."""
    return boto3.session.Session(region_name=REGION)


@cache
def _client(service: str, access_key: str, url: str) -> Any:
    return _session().client(service, endpoint_url=url, aws_access_key_id=access_key, aws_secret_access_key="secret")


class Cloud:
    """A server that knows CloudFormation and what the templates make."""

    def __init__(self, directory: Path, port: int, services: str = SERVICES) -> None:
        self.server = Sqs(directory, port, services)

    def client(self, service: str, access_key: str = "operator") -> Any:
        """A boto3 client of it."""
        with _LOCK:  # a session makes one client at a time; clients are for all threads
            return _client(service, access_key, self.server.endpoint_url)

    def deploy(self, path: Path, name: str = STACK, **parameters: str) -> dict[str, str]:
        """Create or update a stack by a change set, as `aws cloudformation deploy` does; returns its outputs.

        Parameters that are not given keep their last values. A stack without changes stays as it is.
        """
        cloudformation = self.client("cloudformation")
        kind = "UPDATE" if self._exists(name) else "CREATE"
        before = cloudformation.describe_stacks(StackName=name)["Stacks"][0] if kind == "UPDATE" else {}
        kept = {each["ParameterKey"] for each in before.get("Parameters", ())} - parameters.keys()
        change_set = f"deploy-{time.time_ns()}"
        cloudformation.create_change_set(
            StackName=name,
            ChangeSetName=change_set,
            ChangeSetType=kind,
            **self._body(path),
            Capabilities=["CAPABILITY_IAM"],
            Parameters=[
                *({"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()),
                *({"ParameterKey": key, "UsePreviousValue": True} for key in sorted(kept)),
            ],
        )
        quickly = {"Delay": 1, "MaxAttempts": 30}
        try:
            cloudformation.get_waiter("change_set_create_complete").wait(
                StackName=name, ChangeSetName=change_set, WaiterConfig=quickly
            )
        except WaiterError as error:
            if "didn't contain changes" not in error.last_response.get("StatusReason", ""):
                raise
        else:
            cloudformation.execute_change_set(StackName=name, ChangeSetName=change_set)
            cloudformation.get_waiter(f"stack_{kind.lower()}_complete").wait(StackName=name, WaiterConfig=quickly)
        (stack,) = cloudformation.describe_stacks(StackName=name)["Stacks"]
        return {output["OutputKey"]: output["OutputValue"] for output in stack.get("Outputs", ())}

    def queue(self, url: str) -> Mapping[str, str]:
        """A queue's attributes."""
        return dict(
            self.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["All"]).get("Attributes") or {}
        )

    def _body(self, path: Path) -> dict[str, str]:
        """A template of more than 51,200 bytes travels by way of a bucket (`--s3-bucket`)."""
        text = path.read_text()
        if len(text.encode()) <= MAX_BODY_BYTES:
            return {"TemplateBody": text}
        s3 = self.client("s3")
        s3.create_bucket(Bucket="templates")
        s3.put_object(Bucket="templates", Key=path.name, Body=text.encode())
        return {"TemplateURL": f"{self.server.endpoint_url}/templates/{path.name}"}

    def _exists(self, name: str) -> bool:
        pages = self.client("cloudformation").get_paginator("list_stacks").paginate()
        stacks = [stack for page in pages for stack in page["StackSummaries"]]
        return any(stack["StackName"] == name and stack["StackStatus"] != "DELETE_COMPLETE" for stack in stacks)
