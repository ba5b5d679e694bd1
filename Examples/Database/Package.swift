// swift-tools-version: 6.2
// SPDX-License-Identifier: Apache-2.0
// Tests of traced databases: GRDB on files of SQLite.
import PackageDescription

let package = Package(
    name: "database",
    dependencies: [
        .package(name: "skein", path: "../..", traits: ["GRDB"]),
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
        .package(url: "https://github.com/apple/swift-distributed-tracing", from: "1.7.3"),
    ],
    targets: [
        .testTarget(
            name: "DatabaseTests",
            dependencies: [
                .product(name: "Skein", package: "skein"),
                .product(name: "SkeinModel", package: "skein"),
                .product(name: "SkeinSampling", package: "skein"),
                .product(name: "SkeinTesting", package: "skein"),
                .product(name: "GRDB", package: "GRDB.swift"),
                .product(name: "Tracing", package: "swift-distributed-tracing"),
            ]
        )
    ],
    swiftLanguageModes: [.v6]
)
