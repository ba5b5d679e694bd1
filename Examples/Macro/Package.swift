// swift-tools-version: 6.2
// SPDX-License-Identifier: Apache-2.0
// Tests of @Traced: what it makes of functions, what it says of misuse, and what then runs.
import PackageDescription

let package = Package(
    name: "macro",
    dependencies: [
        .package(name: "skein", path: "../..", traits: ["Macros"]),
        .package(url: "https://github.com/apple/swift-distributed-tracing", from: "1.7.3"),
    ],
    targets: [
        .testTarget(
            name: "MacroTests",
            dependencies: [
                .product(name: "Skein", package: "skein"),
                .product(name: "SkeinModel", package: "skein"),
                .product(name: "SkeinSampling", package: "skein"),
                .product(name: "SkeinTesting", package: "skein"),
                .product(name: "InMemoryTracing", package: "swift-distributed-tracing"),
                .product(name: "Tracing", package: "swift-distributed-tracing"),
            ]
        )
    ],
    swiftLanguageModes: [.v6]
)
