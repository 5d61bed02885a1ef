"""One receiving scenario on its own processes; keeps the logs if it broke its promise."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from chaos.scenario import Form, Harm, Outcome
from testkit.pipeline import Pipeline

PROCESSES = {"web": 1, "dispatcher": 1, "incoming": 1, "analytics": 1}


@dataclass(frozen=True, slots=True)
class Trial:
    """A fault for a running pipeline."""

    inject: Callable[[Pipeline, Form, Harm], Outcome]

    def run(self, form: Form, harm: Harm) -> Outcome:
        """Run the scenario."""
        with Pipeline(PROCESSES, {"LOG_LEVEL": "INFO"}) as pipeline:
            outcome = self.inject(pipeline, form, harm)
            pipeline.keep_logs = not outcome.kept(form)
        logs = f"; logs: {pipeline.directory}" if pipeline.keep_logs else ""
        return replace(outcome, detail=outcome.detail + logs)
