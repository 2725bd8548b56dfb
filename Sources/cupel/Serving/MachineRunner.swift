// SPDX-License-Identifier: Apache-2.0
import BuildServer
import Builds
import Logging
import Machines
import Storage

/// How the server's queue has a job built in a machine of its own.
enum MachineRunner {
    static func closure(_ relay: Relay, _ data: DataFolder, _ logger: Logger) -> BuildRunner {
        { job, events, _ in
            var logger = logger
            logger[metadataKey: "build.id"] = "\(job.id)"
            let needsArchive = if case .archive = job.request.source { true } else { false }
            let work = RelayJob(
                request: job.request, archivePath: needsArchive ? data.sourcePath(job.id) : nil, attempt: job.attempt,
                folder: data.folderPath(job.id))
            return await relay.run(work, events: events, logger: logger)
        }
    }
}
