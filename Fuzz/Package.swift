// swift-tools-version: 6.2
// SPDX-License-Identifier: Apache-2.0
// Fuzz targets, in a package of their own so that nobody else resolves or builds them. They see what
// every user of the libraries sees.
import PackageDescription

let package = Package(
    name: "skein-fuzz",
    dependencies: [.package(name: "skein", path: "..", traits: [])],
    targets: [
        .executableTarget(
            name: "Fuzz",
            dependencies: [
                .product(name: "SkeinModel", package: "skein"),
                .product(name: "SkeinPropagation", package: "skein"),
                .product(name: "SkeinWire", package: "skein"),
            ],
            // The fuzzer brings its own `main`.
            swiftSettings: [.unsafeFlags(["-parse-as-library"])]
        )
    ],
    swiftLanguageModes: [.v6]
)
