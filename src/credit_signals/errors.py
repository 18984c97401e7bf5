"""Every error that the product raises on purpose.

CreditSignalsError
├── ConfigurationError      a setting is missing or contradicts another
├── CompanyListError        the company list as a whole cannot be read (single bad lines are rejected, not raised)
├── FetchError              one request failed; carries the url and the FetchStatus to record
├── SectionError            a page cannot be split into sections
├── QueueError
│   └── QueueUnavailable    the broker does not answer
├── StoreError
│   ├── StoreUnavailable    the database does not answer, is locked or is full
│   └── EvidenceMismatch    a quote is not the stored text at its offsets
├── StepFailed              a step of a reader's life failed; names the step
├── ScalingError
│   ├── ScalingRefused      the cluster forbids scaling, does not know the Deployment, or something else scales it
│   │   └── ScaleConflict   others change the Deployment again and again
│   └── ClusterUnavailable  the cluster does not answer
├── TeacherError
│   └── TeacherUnavailable  the labelling endpoint does not answer, or refuses every request
└── ReaderError
    ├── ModelRefused        the model file is missing, damaged or not the one in the manifest
    ├── ReaderUnknown       a reader is neither registered nor that of the settings
    └── ReadFailed          the model could not read a section

A message names the thing and its id. The command line turns each into one sentence and exit code 2.
"""

from __future__ import annotations


class CreditSignalsError(Exception):
    """Base of all errors raised on purpose."""


class ConfigurationError(CreditSignalsError):
    """A setting is missing or contradicts another."""


class CompanyListError(CreditSignalsError):
    """The company list as a whole cannot be read."""


class FetchError(CreditSignalsError):
    """One request failed.

    `status` is the value of the FetchStatus under which the failure is recorded.
    """

    def __init__(self, url: str, status: str, reason: str) -> None:
        super().__init__(f"{url}: {status}: {reason}")
        self.url = url
        self.status = status
        self.reason = reason


class SectionError(CreditSignalsError):
    """A page cannot be split into sections."""


class QueueError(CreditSignalsError):
    """The task queue refused an operation."""


class QueueUnavailable(QueueError):
    """The broker does not answer."""


class StoreError(CreditSignalsError):
    """The results store refused an operation."""


class StoreUnavailable(StoreError):
    """The database does not answer, is locked or is full."""


class EvidenceMismatch(StoreError):
    """A quote is not the stored section text at its offsets."""


class StepFailed(CreditSignalsError):
    """A step of a reader's life failed; what was done before it is kept in its folder."""

    def __init__(self, step: str, reason: str, folder: str) -> None:
        super().__init__(f"step {step} of {folder}: {reason}")
        self.step = step


class ScalingError(CreditSignalsError):
    """Worker pods cannot be counted or scaled; names the Deployment."""


class ScalingRefused(ScalingError):
    """The cluster forbids scaling, does not know the Deployment, or something else scales it."""


class ScaleConflict(ScalingRefused):
    """Others change the Deployment again and again while it is scaled."""


class ClusterUnavailable(ScalingError):
    """The cluster does not answer."""


class TeacherError(CreditSignalsError):
    """A labelling endpoint gave no answer to one request."""


class TeacherUnavailable(TeacherError):
    """The labelling endpoint does not answer, or refuses every request."""


class ReaderError(CreditSignalsError):
    """A reader cannot do its work."""


class ModelRefused(ReaderError):
    """The model file is missing, damaged or not the one that its manifest names."""


class ReaderUnknown(ReaderError):
    """A reader that is named is neither registered in the store nor the one of the settings."""


class ReadFailed(ReaderError):
    """The model could not read a section."""
