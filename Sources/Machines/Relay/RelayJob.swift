// SPDX-License-Identifier: Apache-2.0
public import Builds

/// One build that is to run in a machine.
public struct RelayJob: Sendable {
    public var request: BuildRequest
    /// Absolute path of the uploaded archive, where the request has one.
    public var archivePath: String?
    /// Counts from 1; 2 after the service stopped during the first attempt.
    public var attempt: Int
    /// Absolute path of the job's folder: the result becomes `result.tar.gz` there.
    public var folder: String

    public init(request: BuildRequest, archivePath: String?, attempt: Int, folder: String) {
        self.request = request
        self.archivePath = archivePath
        self.attempt = attempt
        self.folder = folder
    }

    /// There only after a good build, and then complete and on disk.
    public var resultPath: String { folder + "/result.tar.gz" }
    var unfinishedResultPath: String { folder + "/result.partial" }
}
