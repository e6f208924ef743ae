# SPDX-License-Identifier: Apache-2.0
# The installed libraries: each is the objects of several dn_ libraries in one archive, so
# that a user links one file and the layers stay an inside matter.
