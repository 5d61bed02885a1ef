# Functions for docs/deploy.md, for bash and zsh: `. deploy/aws.sh`. They need the AWS CLI, python3, and
# TEMPLATE_BUCKET for deploy_service. INFRASTRUCTURE_STACK and SERVICE_STACK name other stacks than the page's.

INFRASTRUCTURE_STACK=${INFRASTRUCTURE_STACK:-wa-app-sqs}
SERVICE_STACK=${SERVICE_STACK:-wa-app-service}

# deploy_service NAME=VALUE …: create or update the stack; parameters that are not given keep their last values.
deploy_service() {
  aws cloudformation deploy --template-file deploy/service.yaml --stack-name "$SERVICE_STACK" \
    --s3-bucket "${TEMPLATE_BUCKET:?name the bucket for templates}" --capabilities CAPABILITY_IAM \
    --no-fail-on-empty-changeset --parameter-overrides InfrastructureStack="$INFRASTRUCTURE_STACK" "$@"
}

# output NAME: one output of that stack.
output() {
  aws cloudformation describe-stacks --stack-name "$SERVICE_STACK" \
    --query "Stacks[0].Outputs[?OutputKey=='$1'].OutputValue" --output text
}

# manage WORD …: run `python manage.py WORD …` as a task of its own, show its log, and fail as it fails. LOG_STREAM names
# the log stream afterwards. In a VPC of your own without public addresses: PUBLIC_IP=DISABLED.
manage() {
  local started task cluster network overrides state= unknown=0
  cluster=$(output ClusterName)
  network=$(python3 -c 'import json, sys
subnets, group, public = sys.argv[1:]
print(json.dumps({"awsvpcConfiguration": {
    "subnets": subnets.split(","), "securityGroups": [group], "assignPublicIp": public}}))
' "$(output TaskSubnets)" "$(output TaskSecurityGroupId)" "${PUBLIC_IP:-ENABLED}")
  overrides=$(python3 -c 'import json, sys
command = ["python", "manage.py", *sys.argv[1:]]
print(json.dumps({"containerOverrides": [{"name": "migrate", "command": command}]}))' "$@")
  started=$(aws ecs run-task --cluster "$cluster" --launch-type FARGATE --task-definition "$(output MigrateTask)" \
    --network-configuration "$network" --overrides "$overrides" \
    --query '[tasks[0].taskArn, failures[0].reason]' --output text) || return
  task=${started%%$'\t'*}
  if [ "$task" = None ]; then # for example without capacity: the request itself succeeds
    echo "ECS started no task: ${started#*$'\t'}" >&2
    return 1
  fi
  LOG_STREAM="migrate/migrate/${task##*/}"
  # Not `aws ecs wait tasks-stopped`: it gives up after ten minutes, and a migration may take longer.
  while [ "$state" != STOPPED ]; do
    sleep 5
    state=$(_task "$cluster" "$task" lastStatus) || return
    # ECS may not know a new task for some seconds, and forgets an old one: while this machine slept, for example.
    [ "$state" = None ] && unknown=$((unknown + 1)) || unknown=0
    if [ "$unknown" -ge 60 ]; then
      echo "ECS does not know the task; its log is $LOG_STREAM." >&2
      return 1
    fi
  done
  aws logs tail "$(output LogGroup)" --since 1d --log-stream-names "$LOG_STREAM"
  [ "$(_task "$cluster" "$task" 'containers[0].exitCode')" = 0 ] && return
  # Also where it never started, for example because the image is not there.
  _task "$cluster" "$task" '[stoppedReason, containers[0].reason]' >&2
  return 1
}

# _task CLUSTER TASK WHAT: something about a task.
_task() {
  aws ecs describe-tasks --cluster "$1" --tasks "$2" --query "tasks[0].$3" --output text
}

# restart [PROCESS …]: new tasks for these processes, or for all, with the secrets as they are now.
restart() {
  local process cluster
  cluster=$(output ClusterName)
  [ $# -gt 0 ] || set -- web incoming outgoing analytics dispatcher deliver monitor beat
  for process in "$@"; do
    aws ecs update-service --cluster "$cluster" --service "$SERVICE_STACK-$process" --force-new-deployment \
      --query service.serviceName --output text || return
  done
}

# put_secret NAME: read a value from standard input, without showing it, into that key of the pipeline's secret.
put_secret() {
  local arn value
  arn=$(output PipelineSecretArn)
  printf '%s: ' "$1" >&2
  [ -t 0 ] && stty -echo
  IFS= read -r value
  [ -t 0 ] && stty echo && echo >&2
  aws secretsmanager get-secret-value --secret-id "$arn" --query SecretString --output text |
    VALUE=$value python3 -c 'import json, os, sys
secret = json.load(sys.stdin)
if sys.argv[1] not in secret:
    sys.exit(f"{sys.argv[1]} is not a key of the secret: " + ", ".join(sorted(secret)))
print(json.dumps({"SecretId": sys.argv[2], "SecretString": json.dumps(secret | {sys.argv[1]: os.environ["VALUE"]})}))
' "$1" "$arn" | (
    # By a file that only you can read: an argument would be seen in the list of processes.
    umask 077
    file=$(mktemp) && trap 'rm -f "$file"' EXIT && cat >"$file" && [ -s "$file" ] &&
      aws secretsmanager put-secret-value --cli-input-json "file://$file" --query VersionId --output text
  )
}
