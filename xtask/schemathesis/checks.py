"""A check in addition to those of Schemathesis (see ../src/schemathesis.rs)."""

import schemathesis
from schemathesis.core.failures import Failure
from schemathesis.generation import GenerationMode

# The start of messages about a wrong type, length or range, or a missing or unknown field. Other messages are about rules
# that the description cannot express: a project does not exist, a name is taken, or a date is in the past.
OF_SHAPE = ("must be ", "must have ", "is required", "is unknown", "appears twice", "each item must")


@schemathesis.check
def valid_data_has_the_right_shape(ctx, response, case):
    """A request that the description allows is not rejected because of a type, length or range."""
    meta = case.meta
    if meta is None or meta.generation.mode != GenerationMode.POSITIVE or response.status_code != 422:
        return
    for error in response.json().get("errors", []):
        if error["detail"].startswith(OF_SHAPE):
            raise Failure(
                operation=case.operation.label,
                title="A valid request was rejected because of its shape",
                message=f"{error['field']} {error['detail']}",
            )
