// SPDX-License-Identifier: Apache-2.0
import NIOCore

/// One reader of an event stream: all that is left of its connection beside the socket. It holds a place in the log and
/// sends piece after piece, as fast as the connection takes them, and never more than a few that are not taken.
///
/// Used on the connection's event loop only.
final class EventReader: ChannelDuplexHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundIn = IOData
    typealias OutboundOut = IOData

    /// Bytes that wait to be taken at which the next piece waits too.
    private static let waterMark = ChannelOptions.Types.WriteBufferWaterMark(low: 8 << 10, high: 16 << 10)

    /// Pieces from memory in one turn, which is over when the connection takes no more.
    private static let turn = 8

    private enum Phase {
        /// The log does not have event `first` yet.
        case waiting(first: Int, isNumbered: Bool)
        case sending(StreamPlace)
        /// All is written. A reader that has taken it closes the connection, as it should, or is given up after a while.
        case ended
    }

    private let audience: Audience
    private var phase: Phase
    private var context: ChannelHandlerContext?
    private var lastTick = 0
    private var isProceeding = false
    /// Whether the reader has taken the end of the stream.
    private var isTaken = false
    /// Bytes of the log that were sent.
    private var sent = 0
    private let whenTaken: @Sendable () -> Void
    private var ends: [@Sendable (_ bytes: Int) -> Void]

    /// `whenTaken` runs when the reader has taken the end; `ends` with the number of bytes that were sent, when it has
    /// gone.
    init(
        audience: Audience, start: StreamStart, whenTaken: @escaping @Sendable () -> Void,
        ends: [@Sendable (_ bytes: Int) -> Void]
    ) {
        self.audience = audience
        self.whenTaken = whenTaken
        self.ends = ends
        phase = .waiting(first: start.event, isNumbered: start.isNumbered)
        if let offset = start.offset { begin(at: offset, event: start.event, isNumbered: start.isNumbered) }
    }

    private func begin(at offset: Int, event: Int, isNumbered: Bool) {
        phase = .sending(
            StreamPlace(offset: offset, numbering: isNumbered ? EventNumbering(first: event) : nil))
    }

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        lastTick = audience.tick
        try? context.channel.syncOptions?.setOption(.writeBufferWaterMark, value: Self.waterMark)
        audience.join(self)
        context.read()
        proceed()
    }

    func handlerRemoved(context: ChannelHandlerContext) { leave() }

    func channelInactive(context: ChannelHandlerContext) {
        leave()
        context.fireChannelInactive()
    }

    private func leave() {
        guard context != nil else { return }
        context = nil
        phase = .ended
        audience.leave(self)
        for end in ends { end(sent) }
        ends = []
    }

    /// Sends what there is and fits.
    func proceed() {
        guard !isProceeding, let context else { return }
        isProceeding = true
        defer { isProceeding = false }
        do {
            var left = Self.turn
            while context.channel.isWritable, let piece = try next() {
                phase = .sending(piece.end)
                count(piece.end.offset - piece.start.offset)
                lastTick = audience.tick
                switch piece.content {
                case .bytes(let chunk):
                    write(chunk, flush: true)
                    left -= 1
                case .file(let region):
                    send(region)
                    left = 0
                }
                // The others have their turn before the rest.
                if left == 0 { return context.eventLoop.assumeIsolated().execute { [self] in proceed() } }
            }
        } catch {
            audience.report(error)
            context.close(promise: nil)
        }
    }

    private func count(_ bytes: Int) {
        sent += bytes
        audience.sent(bytes)
    }

    /// The next piece; ends the stream where there is none and will be none.
    private func next() throws -> StreamPiece? {
        if case .waiting(let first, let isNumbered) = phase, let offset = try audience.offset(ofEvent: first) {
            begin(at: offset, event: first, isNumbered: isNumbered)
        }
        if case .ended = phase { return nil }
        if case .sending(let place) = phase, let piece = try audience.piece(at: place) { return piece }
        if audience.isOver { end() }
        return nil
    }

    /// The connection is closed when the reader has taken all: a close drops what waits.
    private func end() {
        phase = .ended
        guard let context else { return }
        let taken = context.eventLoop.makePromise(of: Void.self)
        taken.futureResult.assumeIsolated().whenSuccess { [self] in
            (isTaken, lastTick) = (true, audience.tick)
            whenTaken()
            self.context?.close(mode: .output, promise: nil)
        }
        context.writeAndFlush(wrapOutboundOut(.byteBuffer(StreamPiece.end)), promise: taken)
    }

    private func send(_ region: FileRegion) {
        write(StreamPiece.chunkHead(region.readableBytes), flush: false)
        context?.write(wrapOutboundOut(.fileRegion(region)), promise: nil)
        write(StreamPiece.chunkEnd, flush: true)
    }

    private func write(_ bytes: ByteBuffer, flush: Bool) {
        context?.write(wrapOutboundOut(.byteBuffer(bytes)), promise: nil)
        if flush { context?.flush() }
    }

    /// Looks whether it is time for a keep-alive, or to give up a reader that does not close.
    func tick() {
        guard let context, audience.tick - lastTick >= Audience.silence else { return }
        lastTick = audience.tick
        if case .ended = phase {
            if isTaken { context.close(promise: nil) }
            return
        }
        if context.channel.isWritable { write(StreamPiece.keepAlive, flush: true) }
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) { proceed() }

    /// Nothing more is asked on this connection: what comes is dropped, so that its end is noticed.
    func channelRead(context: ChannelHandlerContext, data: NIOAny) {}
    func channelReadComplete(context: ChannelHandlerContext) { context.read() }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case ChannelEvent.inputClosed = event { context.close(promise: nil) }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

    // What had the connection before lets go of it by closing it, and must not.
    func close(context: ChannelHandlerContext, mode: CloseMode, promise: EventLoopPromise<Void>?) { promise?.succeed() }
    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) { promise?.succeed() }
    func read(context: ChannelHandlerContext) {}
}
