// swift-tools-version: 6.2
// SPDX-License-Identifier: Apache-2.0
// Tests of what the SDK's traits bring: its own package builds without them.
import PackageDescription

let package = Package(
    name: "exporters",
    dependencies: [
        .package(name: "skein", path: "../..", traits: [.defaults, "GRPC", "Zipkin", "Logging"]),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/grpc/grpc-swift-2", from: "2.4.3"),
        .package(url: "https://github.com/grpc/grpc-swift-nio-transport", from: "2.9.2"),
        .package(url: "https://github.com/apple/swift-log", from: "1.12.0"),
        .package(url: "https://github.com/apple/swift-distributed-tracing", from: "1.7.3"),
    ],
    targets: [
        .executableTarget(
            name: "Lifetimes",
            dependencies: [.product(name: "Skein", package: "skein")]
        ),
        // Run by Tests/blackbox, beside OpenTelemetry's own packages for Python.
        .executableTarget(
            name: "WirePeer",
            dependencies: [
                .product(name: "Skein", package: "skein"),
                .product(name: "SkeinModel", package: "skein"),
                .product(name: "SkeinPropagation", package: "skein"),
                .product(name: "SkeinSampling", package: "skein"),
                .product(name: "SkeinTesting", package: "skein"),
                .product(name: "Tracing", package: "swift-distributed-tracing"),
            ]
        ),
        // Run by Tests/blackbox, beside a collector in trouble.
        .executableTarget(
            name: "Outages",
            dependencies: [
                .product(name: "Skein", package: "skein"),
                .product(name: "Tracing", package: "swift-distributed-tracing"),
            ]
        ),
        .testTarget(
            name: "ExportersTests",
            dependencies: [
                .product(name: "Skein", package: "skein"),
                .product(name: "SkeinSampling", package: "skein"),
                .product(name: "SkeinTesting", package: "skein"),
                .product(name: "SkeinModel", package: "skein"),
                .product(name: "SkeinWire", package: "skein"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "Tracing", package: "swift-distributed-tracing"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                "CGunzip", "Lifetimes",
            ]
        ),
        .testTarget(
            name: "GRPCTests",
            dependencies: [
                .product(name: "Skein", package: "skein"),
                .product(name: "SkeinTesting", package: "skein"),
                .product(name: "SkeinModel", package: "skein"),
                .product(name: "SkeinPropagation", package: "skein"),
                .product(name: "SkeinSampling", package: "skein"),
                .product(name: "SkeinWire", package: "skein"),
                .product(name: "GRPCCore", package: "grpc-swift-2"),
                .product(
                    name: "GRPCNIOTransportHTTP2Posix",
                    package: "grpc-swift-nio-transport"
                ),
                .product(name: "Tracing", package: "swift-distributed-tracing"),
            ]
        ),
        .systemLibrary(name: "CGunzip", path: "Tests/CGunzip"),
    ],
    swiftLanguageModes: [.v6]
)
