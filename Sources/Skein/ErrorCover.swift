// SPDX-License-Identifier: Apache-2.0

/// An error of Skein's own around another one, which is what spans record.
protocol ErrorCover: Error {
    /// The error that happened.
    var covered: any Error { get }
}
