"""A check beside those of schemathesis (see ../src/schemathesis.rs)."""

import schemathesis
from schemathesis.core.failures import Failure
from schemathesis.generation import GenerationMode

# How Latchkey says that a value has the wrong type, length or range, or that a field is missing or unknown. Other sentences
# say what no description can: that a project does not exist, a name is taken or a date is in the past.
OF_SHAPE = ("must be ", "must have ", "is required", "is unknown", "appears twice", "each item must")


@schemathesis.check
def valid_data_has_the_right_shape(ctx, response, case):
    """What the description allows has no wrong type, length or range."""
    meta = case.meta
    if meta is None or meta.generation.mode != GenerationMode.POSITIVE or response.status_code != 422:
        return
    for error in response.json().get("errors", []):
        if error["detail"].startswith(OF_SHAPE):
            raise Failure(
                operation=case.operation.label,
                title="A valid request is said to have the wrong shape",
                message=f"{error['field']} {error['detail']}",
            )
