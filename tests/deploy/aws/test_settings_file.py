"""deploy/service.yaml: the file of S3 with the settings that the template does not name."""

import re

import pytest

from tests.deploy.aws.test_service import COMMANDS, RESOURCES, TEMPLATE, container


@pytest.mark.parametrize("process", [*COMMANDS, "migrate"])
def test_a_container_gets_the_settings_that_the_template_does_not_name_from_a_file(process: str) -> None:
    files = [{"Type": "s3", "Value": {"Ref": "SettingsFileArn"}}]
    assert container(process)["EnvironmentFiles"] == {"Fn::If": ["HasSettingsFile", files, {"Ref": "AWS::NoValue"}]}


def test_the_execution_role_reads_the_settings_file_alone() -> None:
    _, settings = RESOURCES["ExecutionRole"]["Properties"]["Policies"]
    condition, policy, otherwise = settings["Fn::If"]
    bucket = {"Fn::Select": [0, {"Fn::Split": ["/", {"Ref": "SettingsFileArn"}]}]}
    allowed = [(each["Action"], each["Resource"]) for each in policy["PolicyDocument"]["Statement"]]
    assert (condition, otherwise) == ("HasSettingsFile", {"Ref": "AWS::NoValue"})
    assert allowed == [("s3:GetObject", {"Ref": "SettingsFileArn"}), ("s3:GetBucketLocation", bucket)]


@pytest.mark.parametrize(
    ("arn", "taken"),
    [
        ("", True),
        ("arn:aws:s3:::shop-settings/pipeline.env", True),
        ("arn:aws:s3:::shop-settings/pipeline.txt", False),
        ("arn:aws:s3:::shop-settings/*.env", False),
        ("s3://shop-settings/pipeline.env", False),
    ],
)
def test_a_settings_file_is_one_object_with_the_ending_that_ecs_asks_for(arn: str, taken: bool) -> None:
    assert bool(re.fullmatch(TEMPLATE["Parameters"]["SettingsFileArn"]["AllowedPattern"], arn)) == taken
