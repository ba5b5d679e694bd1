// swift-tools-version: 6.2
// SPDX-License-Identifier: Apache-2.0
// What the tracer costs an application; see the first lines of SDKBench.swift.
import PackageDescription

let package = Package(
    name: "sdk-bench",
    dependencies: [
        .package(name: "skein", path: "../..", traits: []),
        .package(url: "https://github.com/apple/swift-distributed-tracing", from: "1.7.3"),
    ],
    targets: [
        .executableTarget(
            name: "SDKBench",
            dependencies: [
                .product(name: "Skein", package: "skein"),
                .product(name: "SkeinSampling", package: "skein"),
                .product(name: "SkeinModel", package: "skein"),
                .product(name: "SkeinPropagation", package: "skein"),
                .product(name: "Tracing", package: "swift-distributed-tracing"),
            ]
        ),
        .target(name: "CMutexWatch"),
        // Run under the thread sanitizer by scripts/span-storm.sh.
        .executableTarget(
            name: "SpanStorm",
            dependencies: [
                "CMutexWatch",
                .product(name: "Skein", package: "skein"),
                .product(name: "SkeinModel", package: "skein"),
                .product(name: "SkeinPropagation", package: "skein"),
                .product(name: "Tracing", package: "swift-distributed-tracing"),
            ]
        ),
    ],
    swiftLanguageModes: [.v6]
)
