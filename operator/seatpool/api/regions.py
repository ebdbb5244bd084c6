"""The pattern of AWS regions: the patterns of all partitions of botocore, joined.

It is written down here because it stands in the CRDs, and this package imports no AWS library. `aws.regions` makes it.
"""

REGION_PATTERN = (
    "^((us|eu|ap|sa|ca|me|af|il|mx)-[a-z0-9]+-[0-9]+"
    "|cn-[a-z0-9]+-[0-9]+"
    "|eu-isoe-[a-z0-9]+-[0-9]+"
    "|eusc-(de)-[a-z0-9]+-[0-9]+"
    "|us-gov-[a-z0-9]+-[0-9]+"
    "|us-iso-[a-z0-9]+-[0-9]+"
    "|us-isob-[a-z0-9]+-[0-9]+"
    "|us-isof-[a-z0-9]+-[0-9]+)$"
)
