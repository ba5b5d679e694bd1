// swift-tools-version: 6.2
// SPDX-License-Identifier: Apache-2.0
// Fuzz targets, in a package of their own so that nobody else resolves or builds them. They see what
// every user of the libraries sees. Built with SKEIN_PURE=1, as `scripts/fuzz.sh` does: only so does
// the server's package offer the storage engine to others.
import PackageDescription

let package = Package(
    name: "skein-fuzz",
    dependencies: [
        .package(name: "skein", path: "..", traits: []),
        .package(name: "skein-server", path: "../Server"),
    ],
    targets: [
        .executableTarget(
            name: "Fuzz",
            dependencies: [
                .product(name: "SkeinModel", package: "skein"),
                .product(name: "SkeinPropagation", package: "skein"),
                .product(name: "SkeinWire", package: "skein"),
                .product(name: "Engine", package: "skein-server"),
                .product(name: "Platform", package: "skein-server"),
                .product(name: "QueryLanguage", package: "skein-server"),
                .product(name: "Simulation", package: "skein-server"),
                .product(name: "Store", package: "skein-server"),
                .product(name: "StoreContract", package: "skein-server"),
            ],
            // The fuzzer brings its own `main`.
            swiftSettings: [.unsafeFlags(["-parse-as-library"])]
        )
    ],
    swiftLanguageModes: [.v6]
)
