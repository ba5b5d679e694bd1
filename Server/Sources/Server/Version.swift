// SPDX-License-Identifier: Apache-2.0

/// The version of this server, as `skein --version` and the status page tell it.
public let skeinVersion = "0.1.0"
