// swift-tools-version: 6.2
// SPDX-License-Identifier: Apache-2.0
// Tests of traced messages: Redis streams on a real server.
import PackageDescription

let package = Package(
    name: "messaging",
    dependencies: [
        .package(name: "skein", path: "../..", traits: ["RedisStreams"]),
        .package(url: "https://github.com/apple/swift-distributed-tracing", from: "1.7.3"),
    ],
    targets: [
        .testTarget(
            name: "MessagingTests",
            dependencies: [
                .product(name: "Skein", package: "skein"),
                .product(name: "SkeinModel", package: "skein"),
                .product(name: "SkeinTesting", package: "skein"),
                .product(name: "Tracing", package: "swift-distributed-tracing"),
            ]
        )
    ],
    swiftLanguageModes: [.v6]
)
