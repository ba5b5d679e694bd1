// swift-tools-version: 6.2
// SPDX-License-Identifier: Apache-2.0
// What an application depends on. With its traits off this package resolves
// swift-distributed-tracing and what that brings, nothing more; `make tidy` checks it.
import CompilerPluginSupport
import PackageDescription

let strict: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .treatAllWarnings(as: .error),
]

let package = Package(
    name: "skein",
    products: [
        .library(name: "Skein", targets: ["Skein"]),
        .library(name: "SkeinTesting", targets: ["SkeinTesting"]),
        .library(name: "SkeinModel", targets: ["SkeinModel"]),
        .library(name: "SkeinWire", targets: ["SkeinWire"]),
        .library(name: "SkeinPropagation", targets: ["SkeinPropagation"]),
        .library(name: "SkeinSampling", targets: ["SkeinSampling"]),
    ],
    traits: [
        .trait(
            name: "OTLPHTTP",
            description: "Export spans as OTLP over HTTP with AsyncHTTPClient."
        ),
        .trait(
            name: "GRPC",
            description: "Export spans as OTLP over gRPC, and trace the calls of grpc-swift."
        ),
        .trait(
            name: "Zipkin",
            description: "Export spans as Zipkin v2 JSON, by the same client.",
            enabledTraits: ["OTLPHTTP"]
        ),
        .trait(
            name: "Logging",
            description: "Put the ids of trace and span into each line of swift-log."
        ),
        .trait(
            name: "GRDB",
            description: "Put the statements of GRDB, on SQLite, into spans."
        ),
        .trait(
            name: "Hummingbird",
            description: "Answer requests with the id of their trace, in Hummingbird."
        ),
        .trait(
            name: "RedisStreams",
            description: "Redis streams as traced queues of messages, by Debian's libhiredis."
        ),
        .trait(
            name: "Macros",
            description: "Put functions into spans by @Traced. Builds swift-syntax."
        ),
        .default(enabledTraits: ["OTLPHTTP"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-distributed-tracing", from: "1.7.3"),
        .package(url: "https://github.com/swift-server/async-http-client", from: "1.37.0"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-log", from: "1.12.0"),
        .package(url: "https://github.com/apple/swift-http-types", from: "1.8.0", traits: []),
        .package(url: "https://github.com/swiftlang/swift-syntax", from: "603.0.1"),
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
        .package(url: "https://github.com/grpc/grpc-swift-2", from: "2.4.3"),
        .package(url: "https://github.com/grpc/grpc-swift-nio-transport", from: "2.9.2"),
        .package(
            url: "https://github.com/hummingbird-project/hummingbird",
            from: "2.28.1",
            traits: []
        ),
    ],
    targets: [
        // AsyncHTTPClient links zlib too: with the trait off nothing of it is needed.
        .systemLibrary(name: "CGzip", providers: [.apt(["zlib1g-dev"])]),
        .systemLibrary(name: "CHiredis", providers: [.apt(["libhiredis-dev"])]),
        .target(name: "SkeinModel", swiftSettings: strict),
        .target(name: "SkeinWire", dependencies: ["SkeinModel"], swiftSettings: strict),
        .target(name: "SkeinPropagation", dependencies: ["SkeinModel"], swiftSettings: strict),
        .target(name: "SkeinSampling", dependencies: ["SkeinModel"], swiftSettings: strict),
        // Without its trait a program that does nothing.
        .macro(
            name: "SkeinMacros",
            dependencies: [
                .product(
                    name: "SwiftCompilerPlugin",
                    package: "swift-syntax",
                    condition: .when(traits: ["Macros"])
                ),
                .product(
                    name: "SwiftDiagnostics",
                    package: "swift-syntax",
                    condition: .when(traits: ["Macros"])
                ),
                .product(
                    name: "SwiftSyntax",
                    package: "swift-syntax",
                    condition: .when(traits: ["Macros"])
                ),
                .product(
                    name: "SwiftSyntaxBuilder",
                    package: "swift-syntax",
                    condition: .when(traits: ["Macros"])
                ),
                .product(
                    name: "SwiftSyntaxMacros",
                    package: "swift-syntax",
                    condition: .when(traits: ["Macros"])
                ),
            ],
            swiftSettings: strict
        ),
        .target(
            name: "Skein",
            dependencies: [
                .target(name: "SkeinMacros", condition: .when(traits: ["Macros"])),
                "SkeinModel", "SkeinPropagation", "SkeinSampling", "SkeinWire",
                .product(name: "Tracing", package: "swift-distributed-tracing"),
                .product(
                    name: "Logging",
                    package: "swift-log",
                    condition: .when(traits: ["Logging", "Hummingbird"])
                ),
                .target(name: "CGzip", condition: .when(traits: ["OTLPHTTP"])),
                .target(name: "CHiredis", condition: .when(traits: ["RedisStreams"])),
                .product(
                    name: "AsyncHTTPClient",
                    package: "async-http-client",
                    condition: .when(traits: ["OTLPHTTP"])
                ),
                .product(
                    name: "NIOCore",
                    package: "swift-nio",
                    condition: .when(traits: ["OTLPHTTP"])
                ),
                .product(
                    name: "NIOHTTP1",
                    package: "swift-nio",
                    condition: .when(traits: ["OTLPHTTP", "Hummingbird"])
                ),
                .product(
                    name: "GRDB",
                    package: "GRDB.swift",
                    condition: .when(traits: ["GRDB"])
                ),
                .product(
                    name: "GRPCCore",
                    package: "grpc-swift-2",
                    condition: .when(traits: ["GRPC"])
                ),
                .product(
                    name: "GRPCNIOTransportHTTP2Posix",
                    package: "grpc-swift-nio-transport",
                    condition: .when(traits: ["GRPC"])
                ),
                .product(
                    name: "Hummingbird",
                    package: "hummingbird",
                    condition: .when(traits: ["Hummingbird"])
                ),
                .product(
                    name: "HTTPTypes",
                    package: "swift-http-types",
                    condition: .when(traits: ["Hummingbird"])
                ),
            ],
            swiftSettings: strict
        ),
        .target(
            name: "SkeinTesting",
            dependencies: [
                "Skein", "SkeinModel", "SkeinPropagation",
                .product(name: "Tracing", package: "swift-distributed-tracing"),
            ],
            swiftSettings: strict
        ),
        .testTarget(name: "SkeinModelTests", dependencies: ["SkeinModel"], swiftSettings: strict),
        .testTarget(
            name: "SkeinWireTests",
            dependencies: ["SkeinModel", "SkeinWire"],
            swiftSettings: strict
        ),
        .testTarget(
            name: "SkeinPropagationTests",
            dependencies: ["SkeinModel", "SkeinPropagation"],
            swiftSettings: strict
        ),
        .testTarget(
            name: "SkeinSamplingTests",
            dependencies: ["SkeinModel", "SkeinSampling"],
            swiftSettings: strict
        ),
        .testTarget(
            name: "SkeinTests",
            dependencies: [
                "Skein", "SkeinTesting", "SkeinModel", "SkeinPropagation", "SkeinSampling",
                "SkeinWire",
                .product(name: "Tracing", package: "swift-distributed-tracing"),
            ],
            swiftSettings: strict
        ),
    ],
    swiftLanguageModes: [.v6]
)
