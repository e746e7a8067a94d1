"""Settings of a task: everything a user may decide, with its default and what it means.

The command line shows the descriptions as its help; the task's estimator takes the same names.
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

Positive = Annotated[int, Field(ge=1)]


class TaskSettings(BaseModel):
    """What the settings of all tasks can do."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    @classmethod
    def defaults(cls) -> dict[str, Any]:
        """The default of each setting that has one."""
        return {
            name: field.get_default(call_default_factory=True)
            for name, field in cls.model_fields.items()
            if not field.is_required()
        }
