// swift-tools-version: 6.2
// SPDX-License-Identifier: Apache-2.0
// Tests of web services that are traced: Hummingbird and AsyncHTTPClient speak with our tracer.
import PackageDescription

let package = Package(
    name: "web",
    dependencies: [
        .package(name: "skein", path: "../..", traits: ["Hummingbird"]),
        .package(
            url: "https://github.com/hummingbird-project/hummingbird",
            from: "2.28.1",
            traits: []
        ),
        .package(url: "https://github.com/swift-server/async-http-client", from: "1.37.0"),
        .package(url: "https://github.com/apple/swift-distributed-tracing", from: "1.7.3"),
        .package(url: "https://github.com/apple/swift-log", from: "1.12.0"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
    ],
    targets: [
        .testTarget(
            name: "WebTests",
            dependencies: [
                .product(name: "Skein", package: "skein"),
                .product(name: "SkeinModel", package: "skein"),
                .product(name: "SkeinPropagation", package: "skein"),
                .product(name: "SkeinSampling", package: "skein"),
                .product(name: "SkeinTesting", package: "skein"),
                .product(name: "AsyncHTTPClient", package: "async-http-client"),
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "Tracing", package: "swift-distributed-tracing"),
            ]
        )
    ],
    swiftLanguageModes: [.v6]
)
