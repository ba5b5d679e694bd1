// swift-tools-version: 6.2
// SPDX-License-Identifier: Apache-2.0
// The server process, its command line and the demo shop.
//
// SKEIN_PURE=1 leaves out every target that needs sockets, so that sanitizers, fuzzers and quick
// test runs of the storage and query stations resolve and build nothing heavy. It also makes the
// storage stations and the query language products, for the fuzzers, which are a package of their
// own.
import PackageDescription

let pure = Context.environment["SKEIN_PURE"] != nil

let strict: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .treatAllWarnings(as: .error),
]

func skein(_ name: String) -> Target.Dependency { .product(name: name, package: "skein") }
let argumentParser = Target.Dependency.product(
    name: "ArgumentParser",
    package: "swift-argument-parser"
)
let asyncHTTPClient = Target.Dependency.product(
    name: "AsyncHTTPClient",
    package: "async-http-client"
)
let collections = Target.Dependency.product(name: "DequeModule", package: "swift-collections")
let configuration = Target.Dependency.product(
    name: "Configuration",
    package: "swift-configuration"
)
let grdb = Target.Dependency.product(name: "GRDB", package: "GRDB.swift")
let grpcCore = Target.Dependency.product(name: "GRPCCore", package: "grpc-swift-2")
let grpcTransport = Target.Dependency.product(
    name: "GRPCNIOTransportHTTP2Posix",
    package: "grpc-swift-nio-transport"
)
let hummingbird = Target.Dependency.product(name: "Hummingbird", package: "hummingbird")
let hummingbirdCore = Target.Dependency.product(name: "HummingbirdCore", package: "hummingbird")
let lifecycle = Target.Dependency.product(
    name: "ServiceLifecycle",
    package: "swift-service-lifecycle"
)
let unixSignals = Target.Dependency.product(
    name: "UnixSignals",
    package: "swift-service-lifecycle"
)
let logging = Target.Dependency.product(name: "Logging", package: "swift-log")
let nioCore = Target.Dependency.product(name: "NIOCore", package: "swift-nio")
let nioExtras = Target.Dependency.product(name: "NIOExtras", package: "swift-nio-extras")
let nioHTTP1 = Target.Dependency.product(name: "NIOHTTP1", package: "swift-nio")
let nioHPACK = Target.Dependency.product(name: "NIOHPACK", package: "swift-nio-http2")
let nioHTTP2 = Target.Dependency.product(name: "NIOHTTP2", package: "swift-nio-http2")
let nioHTTPTypes = Target.Dependency.product(name: "NIOHTTPTypes", package: "swift-nio-extras")
let nioPosix = Target.Dependency.product(name: "NIOPosix", package: "swift-nio")
let httpTypes = Target.Dependency.product(name: "HTTPTypes", package: "swift-http-types")
let protobuf = Target.Dependency.product(name: "SwiftProtobuf", package: "swift-protobuf")
let tracing = Target.Dependency.product(name: "Tracing", package: "swift-distributed-tracing")

/// Stations that touch no socket.
let pureTargets: [Target] = [
    .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
    .systemLibrary(name: "CZstd", pkgConfig: "libzstd", providers: [.apt(["libzstd-dev"])]),
    .target(name: "CChecksum"),
    .target(name: "CPlatform"),
    // RE2 is C++ from Debian; what Swift sees of it is a C header.
    .target(name: "CPatterns", linkerSettings: [.linkedLibrary("re2")]),
    .target(name: "Platform", dependencies: ["CChecksum", "CPlatform"], swiftSettings: strict),
    .target(name: "Store", dependencies: [skein("SkeinModel")], swiftSettings: strict),
    .target(
        name: "Ingest",
        dependencies: ["Store", "CZlib", "CZstd", skein("SkeinModel"), skein("SkeinWire")],
        swiftSettings: strict
    ),
    .target(
        name: "Engine",
        dependencies: ["Store", "Platform", "CZstd", skein("SkeinModel"), skein("SkeinWire")],
        swiftSettings: strict
    ),
    .target(
        name: "QueryLanguage",
        dependencies: ["CPatterns", skein("SkeinModel")],
        swiftSettings: strict
    ),
    .target(name: "Analysis", dependencies: [skein("SkeinModel")], swiftSettings: strict),
    .target(
        name: "Query",
        dependencies: [
            "QueryLanguage", "Store", "Analysis", skein("SkeinModel"), skein("SkeinPropagation"),
        ],
        swiftSettings: strict
    ),
    .target(name: "ShortLinks", dependencies: ["Platform"], swiftSettings: strict),
    .target(
        name: "StoreContract",
        dependencies: ["Store", skein("SkeinModel")],
        swiftSettings: strict
    ),
    // For developers: measures a store, the codecs and the analyses. No product contains them.
    .executableTarget(
        name: "StoreBench",
        dependencies: [
            "Engine", "Ingest", "Platform", "Store", skein("SkeinModel"), skein("SkeinWire"),
        ],
        swiftSettings: strict
    ),
    .executableTarget(
        name: "WireBench",
        dependencies: [skein("SkeinModel"), skein("SkeinWire")],
        swiftSettings: strict
    ),
    .executableTarget(
        name: "AnalysisBench",
        dependencies: ["Analysis", skein("SkeinModel")],
        swiftSettings: strict
    ),
    .target(
        name: "Simulation",
        dependencies: [
            "Engine", "Platform", "Store", "StoreContract", "CZstd", skein("SkeinModel"),
            skein("SkeinWire"),
        ],
        swiftSettings: strict
    ),
    .executableTarget(
        name: "SimulateCommand",
        dependencies: ["Simulation", "Platform"],
        swiftSettings: strict
    ),
    .testTarget(
        name: "EngineTests",
        dependencies: [
            "Engine", "Platform", "Query", "QueryLanguage", "Simulation", "Store", "StoreContract",
            skein("SkeinModel"), skein("SkeinWire"),
        ],
        exclude: ["Golden"],
        swiftSettings: strict
    ),
    .testTarget(
        name: "IngestTests",
        dependencies: [
            "Ingest", "Store", "CZlib", "CZstd", skein("SkeinModel"), skein("SkeinWire"),
        ],
        swiftSettings: strict
    ),
    .testTarget(
        name: "ShortLinksTests",
        dependencies: ["ShortLinks", "Platform", "Simulation"],
        swiftSettings: strict
    ),
    .testTarget(
        name: "QueryTests",
        dependencies: [
            "Query", "QueryLanguage", "Analysis", "Store", skein("SkeinModel"), skein("SkeinWire"),
        ],
        exclude: ["Scripts"],
        swiftSettings: strict
    ),
]

/// Stations with sockets, the composition root, the command and the demo.
let fullTargets: [Target] = [
    .target(name: "CWebAssets"),
    .target(
        name: "Receivers",
        dependencies: [
            "Ingest", "Store", hummingbird, hummingbirdCore, httpTypes, grpcCore, grpcTransport,
            nioCore, nioExtras, nioHPACK, nioHTTP1, nioHTTP2, nioHTTPTypes, nioPosix, logging,
            lifecycle, skein("SkeinModel"), skein("SkeinWire"),
        ],
        swiftSettings: strict
    ),
    .target(
        name: "API",
        dependencies: [
            "Query", "QueryLanguage", "Analysis", "ShortLinks", "Store", hummingbird, httpTypes,
            grpcCore, lifecycle, nioCore, logging, skein("SkeinModel"), skein("SkeinWire"),
        ],
        swiftSettings: strict
    ),
    .target(
        name: "WebUI",
        dependencies: ["CWebAssets", "CZlib", hummingbird, httpTypes, nioCore],
        swiftSettings: strict
    ),
    .target(
        name: "Server",
        dependencies: [
            "API", "Engine", "Ingest", "Platform", "Query", "Receivers", "ShortLinks", "Store",
            "WebUI", configuration, grpcCore, hummingbird, httpTypes, lifecycle, logging, nioCore,
            nioPosix,
            unixSignals,
            skein("SkeinModel"), skein("SkeinWire"),
        ],
        swiftSettings: strict
    ),
    .target(
        name: "Shop",
        dependencies: [
            hummingbird, httpTypes, asyncHTTPClient, grdb, lifecycle, logging, nioCore, nioHTTP1,
            tracing, skein("Skein"),
        ],
        swiftSettings: strict
    ),
    .target(
        name: "Client",
        dependencies: [
            asyncHTTPClient, nioCore, nioHTTP1, "CZlib", skein("SkeinModel"), skein("SkeinWire"),
        ],
        swiftSettings: strict
    ),
    .executableTarget(
        name: "SkeinCommand",
        dependencies: [
            "Server", "Shop", "Client", "Analysis", "Engine", "Platform", "QueryLanguage",
            argumentParser, logging, lifecycle, unixSignals,
            skein("SkeinModel"), skein("SkeinWire"),
        ],
        swiftSettings: strict
    ),
    .testTarget(
        name: "WireOracleTests",
        dependencies: [protobuf, skein("SkeinModel"), skein("SkeinWire")],
        exclude: ["Protos"],
        swiftSettings: strict
    ),
    .testTarget(
        name: "ServerTests",
        dependencies: [
            "Server", "API", "Ingest", "Query", "Receivers", "WebUI", "CWebAssets", "Client",
            "Platform", "ShortLinks", "Shop",
            "Store", asyncHTTPClient, grpcCore, httpTypes, hummingbird, nioCore, nioHPACK, nioHTTP1,
            nioHTTP2, nioPosix, logging, lifecycle, tracing, skein("SkeinModel"),
            skein("SkeinWire"), skein("Skein"), skein("SkeinSampling"), skein("SkeinTesting"),
        ],
        swiftSettings: strict
    ),
]

let package = Package(
    name: "skein-server",
    products: [.executable(name: "skein-simulate", targets: ["SimulateCommand"])]
        + (pure
            ? ["Engine", "Platform", "QueryLanguage", "Simulation", "Store", "StoreContract"].map {
                .library(name: $0, targets: [$0])
            }
            : [.executable(name: "skein", targets: ["SkeinCommand"])]),
    dependencies: [.package(name: "skein", path: "..", traits: pure ? [] : [.defaults])]
        + (pure
            ? []
            : [
                .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
                .package(url: "https://github.com/apple/swift-collections", from: "1.6.0"),
                .package(
                    url: "https://github.com/apple/swift-configuration",
                    from: "1.4.0",
                    traits: ["JSON"]
                ),
                .package(url: "https://github.com/apple/swift-distributed-tracing", from: "1.7.3"),
                .package(url: "https://github.com/apple/swift-http-types", from: "1.8.0"),
                .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
                .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
                .package(url: "https://github.com/apple/swift-nio-extras", from: "1.35.2"),
                .package(url: "https://github.com/apple/swift-nio-http2", from: "1.46.0"),
                .package(
                    url: "https://github.com/apple/swift-protobuf",
                    from: "1.39.0",
                    traits: []
                ),
                .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
                .package(url: "https://github.com/grpc/grpc-swift-2", from: "2.4.3"),
                .package(url: "https://github.com/grpc/grpc-swift-nio-transport", from: "2.9.2"),
                .package(
                    url: "https://github.com/hummingbird-project/hummingbird",
                    from: "2.28.1"
                ),
                .package(url: "https://github.com/swift-server/async-http-client", from: "1.37.0"),
                .package(
                    url: "https://github.com/swift-server/swift-service-lifecycle",
                    from: "2.13.0"
                ),
            ]),
    targets: pure ? pureTargets : pureTargets + fullTargets,
    swiftLanguageModes: [.v6]
)
