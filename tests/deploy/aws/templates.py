"""The CloudFormation templates, parsed, and stacks made of them on a local CloudFormation."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import boto3
import cfnlint.decode

from deploy.local.sqs import Sqs

DEPLOY = Path(__file__).resolve().parents[3] / "deploy"
INFRASTRUCTURE = DEPLOY / "infrastructure.yaml"
REGION = "us-east-1"
ACCOUNT = "000000000000"
STACK = "wa-app-sqs"
# https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html
MAX_BODY_BYTES = 51_200
SERVICES = "sqs,sns,cloudformation,iam,s3,kms,sts"


def parsed(path: Path) -> dict[str, Any]:
    """A template with its intrinsic functions in their long form: {"Ref": …}, {"Fn::Sub": …}."""
    template, problems = cfnlint.decode.decode(str(path))
    assert not problems, problems
    assert template is not None
    return dict(template)


class Cloud:
    """A server that knows CloudFormation and what the templates make."""

    def __init__(self, directory: Path, port: int, services: str = SERVICES) -> None:
        self.server = Sqs(directory, port, services)

    def client(self, service: str, access_key: str = "operator") -> Any:
        """A boto3 client of it."""
        return boto3.session.Session(access_key, "secret", region_name=REGION).client(
            service, endpoint_url=self.server.endpoint_url
        )

    def deploy(self, path: Path, name: str = STACK, **parameters: str) -> dict[str, str]:
        """Create or update a stack by a change set, as `aws cloudformation deploy` does; returns its outputs."""
        cloudformation = self.client("cloudformation")
        kind = "UPDATE" if self._exists(name) else "CREATE"
        change_set = f"deploy-{kind.lower()}"
        cloudformation.create_change_set(
            StackName=name,
            ChangeSetName=change_set,
            ChangeSetType=kind,
            **self._body(path),
            Capabilities=["CAPABILITY_IAM"],
            Parameters=[{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()],
        )
        quickly = {"Delay": 1, "MaxAttempts": 30}
        cloudformation.get_waiter("change_set_create_complete").wait(
            StackName=name, ChangeSetName=change_set, WaiterConfig=quickly
        )
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
