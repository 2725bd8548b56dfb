// SPDX-License-Identifier: Apache-2.0
public import BuildServer
internal import Builds
public import Pipeline
public import Storage

/// How the server's queue has a job built: by the pipeline, in the job's own folder.
public enum PipelineRunner {
    public static func closure(_ pipeline: BuildPipeline, _ data: DataFolder) -> BuildRunner {
        { job, events, slot in
            let needsArchive = if case .archive = job.request.source { true } else { false }
            let work = PipelineJob(
                id: job.id, request: job.request, archivePath: needsArchive ? data.sourcePath(job.id) : nil,
                attempt: job.attempt, slot: slot, folder: data.folderPath(job.id),
                wantsEncodedResult: true)
            return await pipeline.run(work, events: events)
        }
    }
}
