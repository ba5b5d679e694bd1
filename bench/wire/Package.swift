// swift-tools-version: 6.2
// SPDX-License-Identifier: Apache-2.0
// How fast the codecs are on a corpus of the reference load, in a package of its own so that nobody
// else resolves or builds it.
import PackageDescription

let package = Package(
    name: "skein-wire-bench",
    dependencies: [.package(name: "skein", path: "../..", traits: [])],
    targets: [
        .executableTarget(
            name: "WireBench",
            dependencies: [
                .product(name: "SkeinModel", package: "skein"),
                .product(name: "SkeinWire", package: "skein"),
            ]
        )
    ],
    swiftLanguageModes: [.v6]
)
