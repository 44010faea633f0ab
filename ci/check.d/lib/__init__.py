# SPDX-License-Identifier: MIT
"""What the scripts of the check job share: the files of the repository, C as text, the public headers."""
