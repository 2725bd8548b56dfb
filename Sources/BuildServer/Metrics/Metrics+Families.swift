// SPDX-License-Identifier: Apache-2.0

extension Metrics {
    /// What is asked for when somebody reads.
    struct Moment: Sendable {
        let version: String
        let waitingJobs: Int
        let queueLength: Int
        let runningBuilds: Int
        let concurrency: Int
        let dataFolder: FreeSpace?
        let process: ProcessFacts
    }

    /// All metrics, in the order of the documentation. Families without a sample are there too.
    func families(_ moment: Moment) -> [MetricFamily] {
        jobs(moment) + machines + traffic(moment) + machine(moment)
    }

    private var machines: [MetricFamily] {
        [
            .init(
                "cupel_isolation_info", .gauge, "1 for where builds run, 0 for where they do not.", places.samples),
            .init("cupel_machines_spare", .gauge, "Machines that are booted and wait for a build.", spareMachines),
            .init("cupel_machines_busy", .gauge, "Machines that have a build.", busyMachines),
            .init("cupel_machines_booted_total", .counter, "Machines that were started and answered.", bootedMachines),
            .init(
                "cupel_machines_failed_total", .counter, "Machines that were started and never answered.",
                failedMachines),
            .init(
                "cupel_machine_boot_seconds", .histogram, "Time from the start of each machine until it answered.",
                machineBoots),
        ]
    }

    private func jobs(_ moment: Moment) -> [MetricFamily] {
        [
            .init("cupel_queue_jobs", .gauge, "Jobs that wait in line.", moment.waitingJobs),
            .init(
                "cupel_queue_capacity_jobs", .gauge, "Jobs that may wait in line: queue_length.", moment.queueLength),
            .init("cupel_queue_wait_seconds", .histogram, "Time in line of each job that started.", queueWaits),
            .init("cupel_builds_running", .gauge, "Builds that run.", moment.runningBuilds),
            .init("cupel_builds_running_limit", .gauge, "Builds that may run: concurrency.", moment.concurrency),
            .init(
                "cupel_builds_ended_total", .counter, "Jobs that ended for good, by outcome: ok, or the error type.",
                endedBuilds.samples),
            .init(
                "cupel_build_duration_seconds", .histogram, "Time from the start of each build to its end.",
                buildDurations.samples),
            .init(
                "cupel_build_phase_duration_seconds", .histogram,
                "Time that each phase of a build took, also the one in which it failed.", phaseDurations.samples),
            .init("cupel_build_events_total", .counter, "Events that builds emitted, log lines mostly.", buildEvents),
            .init("cupel_jobs_accepted_total", .counter, "Jobs that were accepted.", acceptedJobs),
            .init("cupel_jobs_kept", .gauge, "Jobs in the data folder, of any state.", keptJobs),
            .init(
                "cupel_jobs_removed_total", .counter, "Finished jobs that were removed, by the setting that said so.",
                removedJobs.samples),
        ]
    }

    private func traffic(_ moment: Moment) -> [MetricFamily] {
        [
            .init("cupel_event_stream_readers", .gauge, "Readers of event streams that are connected.", streamReaders),
            .init("cupel_event_streams_total", .counter, "Event streams that were begun.", streams),
            .init(
                "cupel_event_stream_sent_bytes_total", .counter, "Bytes of event streams that were sent.", streamBytes),
            .init("cupel_upload_received_bytes_total", .counter, "Bytes of archives of accepted jobs.", uploadBytes),
            .init("cupel_result_sent_bytes_total", .counter, "Bytes of results that were sent.", resultBytes),
            .init(
                "cupel_http_requests_total", .counter, "Requests that were answered, by path, method and status.",
                requests.samples),
            .init("cupel_http_connections", .gauge, "Connections that are open.", openConnections),
            .init("cupel_http_connections_total", .counter, "Connections that were accepted.", connections),
        ]
    }

    private func machine(_ moment: Moment) -> [MetricFamily] {
        let (space, process) = (moment.dataFolder, moment.process)
        return [
            .init(
                "cupel_data_folder_free_bytes", .gauge, "Bytes that the file system of the data folder has left.",
                space.samples { $0.bytes }),
            .init(
                "cupel_data_folder_free_inodes", .gauge, "Files that the file system of the data folder has left.",
                space.samples { $0.inodes }),
            .init("cupel_log_messages_total", .counter, "Lines of the log, by level.", logSamples),
            .init(
                "cupel_build_info", .gauge, "Always 1; the label says which release runs.",
                [.init(labels: [("version", moment.version)], value: 1)]),
            .init(
                "process_cpu_seconds_total", .counter, "User and system time of this process, without its builds.",
                [.init(value: process.processorSeconds)]),
            .init(
                "process_resident_memory_bytes", .gauge, "Memory of this process, without its builds.",
                process.residentMemory.samples { $0 }),
            .init(
                "process_virtual_memory_bytes", .gauge, "Address space of this process.",
                process.virtualMemory.samples { $0 }),
            .init("process_open_fds", .gauge, "Open file descriptors.", process.openFiles.samples { $0 }),
            .init("process_max_fds", .gauge, "File descriptors that may be open.", process.openFileLimit),
            .init(
                "process_start_time_seconds", .gauge, "When this process started, in seconds since 1970.",
                [.init(value: startTime)]),
        ]
    }
}

extension MetricFamily {
    fileprivate init(_ name: String, _ kind: Kind, _ help: String, _ histogram: Histogram) {
        self.init(name, kind, help, histogram.samples(labels: []))
    }
}

extension Optional {
    /// No sample where there is no number.
    fileprivate func samples(_ number: (Wrapped) -> Int) -> [MetricFamily.Sample] {
        map { [.init(value: Double(number($0)))] } ?? []
    }
}
