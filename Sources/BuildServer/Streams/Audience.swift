// SPDX-License-Identifier: Apache-2.0
import Logging
import NIOCore
import Storage
import Synchronization

/// The readers of one log on one event loop. They are told of news together, and share pieces and one open file.
///
/// `@unchecked Sendable`: all but `isCalled` and the constants is used on the event loop only.
final class Audience: @unchecked Sendable {
    /// Ticks of a reader's silence after which it gets a keep-alive.
    static let silence = 8
    /// Bytes of the log in one piece that is held in memory: what a stalled reader costs.
    private static let memoryLimit = 32 << 10
    /// Bytes that the system sends from the file before all readers have had their turn, and bytes of one turn at least.
    private static let roundSize = 4 << 20
    private static let turnSize = 256 << 10
    private static let numberedCapacity = 16

    private let log: EventLog
    let loop: any EventLoop
    private let owner: Readers
    private let isCalled = Atomic(false)

    private var readers: [ObjectIdentifier: EventReader] = [:]
    private var listener: EventLog.Listener?
    private var file: NIOFileHandle?
    private var latest: StreamPiece?
    /// Pieces with ids, which cost the most to make, the latest last: readers that go side by side share them.
    private var numbered: [StreamPiece] = []
    /// How far the log was when it was last looked at.
    private var state: EventLog.State
    /// Counts the moments at which keep-alives are looked after.
    private(set) var tick = 0
    private var isStopped: Bool

    init(log: EventLog, loop: any EventLoop, owner: Readers, isStopped: Bool) {
        self.log = log
        self.loop = loop
        self.owner = owner
        self.isStopped = isStopped
        state = log.state
    }

    /// Whether streams end where the log ends now. A service that stops still delivers what there is.
    var isOver: Bool { state.isComplete || isStopped }

    func join(_ reader: EventReader) {
        readers[ObjectIdentifier(reader)] = reader
        if listener == nil { listener = log.listen { [self] in call() } }
        state = log.state
    }

    /// Takes a reader out, whether it has joined or not; the last one closes the file.
    func leave(_ reader: EventReader) {
        readers[ObjectIdentifier(reader)] = nil
        guard owner.left(log, loop), readers.isEmpty else { return }
        if let listener { log.ignore(listener) }
        try? file?.close()
        (listener, file, latest, numbered) = (nil, nil, nil, [])
    }

    /// There is news: from any thread, as often as one likes.
    private func call() {
        guard !isCalled.exchange(true, ordering: .acquiringAndReleasing) else { return }
        loop.execute { [self] in
            isCalled.store(false, ordering: .sequentiallyConsistent)
            wake()
        }
    }

    private func wake() {
        state = log.state
        for reader in readers.values { reader.proceed() }
    }

    func stop() {
        isStopped = true
        wake()
    }

    /// Looks after keep-alives.
    func advance() {
        tick += 1
        for reader in readers.values { reader.tick() }
    }

    /// The offset of event `number`, where there is such an event or will be next.
    func offset(ofEvent number: Int) throws(StorageError) -> Int? {
        number <= state.count ? try log.offset(ofEvent: number) : nil
    }

    /// What follows `place`; `nil` where nothing does yet.
    func piece(at place: StreamPlace) throws -> StreamPiece? {
        let isNumbered = place.numbering != nil
        if let known = isNumbered ? numbered.last(where: { $0.start == place }) : latest, known.start == place {
            return known
        }
        let available = state.length - place.offset
        guard available > 0 else { return nil }
        // Without a free descriptor the file is read instead.
        if !isNumbered, available > Self.memoryLimit, let file = try? openFile() {
            let end = place.offset + min(available, max(Self.turnSize, Self.roundSize / max(1, readers.count)))
            let region = FileRegion(fileHandle: file, readerIndex: place.offset, endIndex: end)
            return StreamPiece(region, at: place)
        }
        let bytes = try log.read(from: place.offset, limit: min(available, Self.memoryLimit))
        let piece = StreamPiece(bytes, at: place)
        if isNumbered { keep(piece) } else { latest = piece }
        return piece
    }

    private func keep(_ piece: StreamPiece) {
        if numbered.count == Self.numberedCapacity { numbered.removeFirst() }
        numbered.append(piece)
    }

    private func openFile() throws(StorageError) -> NIOFileHandle {
        if let file { return file }
        let handle = NIOFileHandle(_deprecatedTakingOwnershipOfDescriptor: try log.duplicateDescriptor())
        file = handle
        return handle
    }

    /// Counts bytes of the log that a reader was sent.
    func sent(_ count: Int) { owner.metrics.streamBytes.add(count) }

    /// Tells the operator that a log cannot be read.
    func report(_ error: any Error) {
        owner.logger.error("An event log could not be read", metadata: ["error": "\(error)"])
    }
}
