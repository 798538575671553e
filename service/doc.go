// Package service holds the verbs of GNJ: the dispatch rules. Each exported
// method of [Service] that changes something is one transaction with one now,
// taken from the database's clock; who listens is told after the commit.
//
// These are the rules. Each has a name, and a test of that name that holds it
// on SQLite and on PostgreSQL.
//
// # Create
//
//  1. Create_queuesAJob: A new job is queued, with priorityLevel 4 and one attempt, unless it says otherwise.
//  2. Create_plansJobsOfPipelinesAndBatches: A job made with a pipelineId or batchId and no status is planned.
//  3. Create_queuesJobsOfARunningBatch: A job added to a batch that is processing is queued, as nobody would start it later; a successful batch takes no more jobs.
//  4. Create_appendsAStep: A job or batch made with a pipelineId becomes the last step of the pipeline, unless the pipeline has ended; a job made with a batchId becomes none.
//  5. Create_answersTheJobWithTheUniqueId: Creating again with a known jobUniqueId answers the job that is there, changed in nothing.
//  6. Create_oneJobPerUniqueId: Two creates at once with one jobUniqueId make one job, by the database's own doing.
//  7. Create_bulkIsAllOrNone: Up to 10,000 jobs are created in one transaction, in order; one that cannot be keeps all from being, and the error names its index.
//  8. Create_joinsTheHostsTransaction: In a host's transaction a job exists if and only if the host commits, and an error leaves nothing half-done.
//  9. Create_inAnyStatusByHand: By hand a job may be created in any status, and what follows from it follows.
//
// # Acquire
//
//  10. Acquire_firstInFirstOut: Jobs are dispatched by id over all the types asked for.
//  11. Acquire_higherPriorityFirst: A higher priorityLevel goes first; within it the order is first in, first out.
//  12. Acquire_marksTheJob: An acquired job is processing, with startedAt, its worker and one attempt more.
//  13. Acquire_onlyQueuedJobs: A job of any other status, or a deleted one, is not dispatched.
//  14. Acquire_waitsForStartAfter: A job is not dispatched before its startAfter.
//  15. Acquire_skipsHeldTypes: A held type is not dispatched; the other types are.
//  16. Acquire_skipsAllWhenAllIsHeld: The hold of all stops every type.
//  17. Acquire_neverTwice: Two acquires never get one job.
//  18. Acquire_waits: An acquire may wait until a job can be had; one made in this process answers it at once.
//  19. Acquire_wakesAsManyAsItCanServe: A new job wakes one waiting worker, the first that came; one that cannot use it passes it on.
//  20. Acquire_beginsBehindWhatIsGone: Where an open transaction keeps claimed jobs in the way, claims begin behind them; what comes back or is committed late is dispatched in its turn, of other nodes as soon as it is heard.
//  21. Acquire_leavesNoJobBehind: A caller that goes away while it acquires leaves no job behind.
//  22. Acquire_givesBack: A job given back waits again, at once or later, without an
//     attempt spent.
//
// # Leases and attempts
//
//  23. Lease_isRenewedByReporting: A worker may ask for a lease and renews it by reporting; without one it holds the job until it finishes it.
//  24. Lease_expiredFailsTheAttempt: An expired lease is a failure of that attempt, with an output that says who held it; on a cancel-requested job it cancels.
//  25. Lease_isRescuedOnce: Any node rescues an expired lease; of a rescue and a late finish exactly one wins.
//  26. Attempt_fencesOldAttempts: Report and finish with an attempt that is over are refused, and the refusal names the present holder.
//  27. Attempt_noneIsThePresentOne: Without an attempt, report and finish are taken as of the present one.
//  28. Attempt_failedIsTriedAgain: A failed attempt is tried again while attempts are left, after a backoff; a worker may fail a job for good at once.
//  29. Attempt_backsOffExponentially: The backoff is the job's number, doubled with each attempt, with a tenth of jitter, up to the job's bound.
//
// # Report
//
//  30. Report_mergesSteps: Progress is any JSON; each step of an object named steps is merged over the stored step of that name.
//  31. Report_timesSteps: A step that is done for the first time gets doneAt, and elapsedTime since the newest stored doneAt or the start.
//
// # Finish
//
//  32. Finish_setsTimes: A job that ends gets endedAt, a cancelled one also cancelledAt, however it came about.
//  33. Finish_keepsTheOutput: The output is stored in the transaction that ends the job; without one, what is there stays.
//  34. Finish_repeatedIsAnsweredAsTheFirstTime: Repeating the finish that was accepted last is answered as the first time, also when the job has been acquired again.
//  35. Finish_tellsOfFailedJobs: The host's hook is called after the commit with each job that became failed, and a panic in it harms nobody.
//
// # Cancel
//
//  36. Cancel_waitingJobsAtOnce: A planned or queued job is cancelled at once.
//  37. Cancel_asksTheWorker: A processed job becomes cancel-requested; its worker ends it as cancelled, failed or successful, and a failure is not tried again.
//  38. Cancel_warnsOnce: After the request one update that keeps the status is accepted and the next refused; bare heartbeats are accepted.
//  39. Cancel_refusesEndedJobs: A successful or failed job cannot be cancelled; cancelling again is harmless.
//  40. Cancel_againstFinish: Of a cancel and a finish at once each is answered by what it found: a finish that came first refuses the cancel.
//
// # By hand
//
//  41. Update_setsAnyStatus: By hand a job that has not ended may be set to any status, and what follows from it follows.
//  42. Update_keepsEndedJobs: An ended job changes its status by retry or recover only; repeating the one it has is harmless.
//  43. Edit_onlyBeforeTheStart: Name, input, startAfter, priority and attempts can be changed while a job waits.
//  44. Delete_refusesHeldJobs: A job that a worker holds cannot be deleted; any other can, and its jobUniqueId is free again.
//  45. Delete_takesTheStepAlong: A planned step leaves its pipeline with its job, and the pipeline or batch goes on with what stays.
//  46. Update_keepsWhatItCannotChange: A jobUniqueId, batchId, pipelineId, retryOfJobId or jobId is decided at creation: naming the one that is there, as clients do that send back what they read, is harmless, and any other is refused.
//  47. Update_keepsTimesAsGiven: By hand startedAt, endedAt and cancelledAt are kept as they are given, unless the change of status in the same update sets them.
//  48. Update_deletes: An update can delete the job after its other changes, by the rules of delete and all or nothing.
//  49. Create_retriesByHand: By hand a job may be created as the retry of a failed or cancelled job that is of no batch or pipeline and was not retried before.
//  50. Batch_madeByHand: By hand a batch may be created in any status, and what follows from it follows; one that is processing queues the jobs it gets, and is refused as a step whose turn it is not.
//  51. Batch_setByHand: Set to processing, a batch that is no step, or whose turn it is, begins; set to successful or failed, what is queued of it goes back to planned and its step and pipeline follow as if its jobs had decided it; an ended one keeps its status.
//  52. Pipeline_madeByHand: By hand a pipeline may be created in any status, without steps; one that is processing begins with the first step it gets, and an ended one takes none.
//  53. Pipeline_setByHand: Set to processing a pipeline is started; set to successful or failed, nothing more of it is dispatched and what runs keeps its result; an ended one keeps its status; name and metadata can always be changed.
//  54. Step_madeByHand: A job or batch that is there, belongs to no other pipeline and has not failed can be made a step: what is queued of it waits for its turn, a successful one is done, and one that a worker holds is refused before its turn.
//  55. Step_placedByHand: A step has the index it is given, and steps of one index are in the order of their ids; while a pipeline runs none comes before the step that is being run.
//  56. Step_setByHand: A step that nobody has begun can be set to done: it is skipped, its jobs are not dispatched, and the pipeline goes on without it; one that is done stays so.
//
// # Retry and recover
//
//  57. Retry_makesANewJob: Retry of a failed or cancelled job makes a new queued job, a copy with retryOfJobId and without what belongs to the execution.
//  58. Retry_keepsTheOutput: The output is kept, save for a failed job whose output has an error.
//  59. Retry_refusals: Only a failed or cancelled job can be retried.
//  60. Retry_once: Two retries of one job make one new job; the second is answered with it, or refused once it has ended.
//  61. Recover_requeuesTheSameJob: Recover puts a failed, recoverable job back with its progress kept.
//  62. Recover_refusals: Only a failed job that is recoverable and was not retried can be recovered.
//
// # Pipelines
//
//  63. Pipeline_startQueuesTheFirstStep: Nothing of a pipeline is dispatched before it is started; then its first planned step is queued.
//  64. Pipeline_startRefusals: A pipeline is started once, and only with steps.
//  65. Pipeline_startedOnce: Of two starts at once exactly one wins.
//  66. Pipeline_stepAfterStep: When the job or batch of a step is successful the step is done and the next planned one is queued; without one the pipeline is successful.
//  67. Pipeline_goesOnByHand: This also holds for a pipeline nobody started, when a job of it is set successful by hand.
//  68. Pipeline_failsAtOnce: When the job of a step fails for good or is cancelled, or its batch fails, the pipeline is failed in the same transaction, and the steps behind are never dispatched.
//  69. Pipeline_ignoresStrangers: A job or batch that names a pipeline whose step it is not leaves the pipeline alone.
//  70. Pipeline_resumes: Retry or recover of the job that failed a pipeline puts it back to processing; a retry takes the old job's place.
//  71. Pipeline_resumesFromWhereItFailed: A failed or cancelled pipeline can be resumed as a whole: every failed or cancelled job of its steps that are not done is retried, all or nothing.
//  72. Pipeline_cancelPlanned: Cancelling a planned pipeline cancels its jobs and fails it.
//  73. Pipeline_cancelProcessing: Cancelling a processing one cancels what waits, asks what runs to cancel, and fails the pipeline when that has ended.
//  74. Pipeline_addStep: A pipeline that has not ended takes further steps.
//  75. Pipeline_orderSteps: The steps that nobody has begun can be put into a new order.
//  76. Pipeline_removeStep: A step that nobody has begun can be taken out, with its job, or its batch and the jobs of that; the pipeline goes on with what stays.
//
// # Batches
//
//  77. Batch_runsInParallel: All jobs of a batch become available together, and the next step waits for all of them.
//  78. Batch_failsAtOnce: When a job of a batch fails or is cancelled the batch is failed, jobs still queued go back to planned, and those being processed run to their end with their results kept.
//  79. Batch_settlesOnce: The last two jobs of a batch ending at once settle it exactly once.
//  80. Batch_emptyIsSuccessful: A batch without jobs is successful the moment its step is reached.
//  81. Batch_withoutPipeline: A batch of no pipeline is started by itself and simply ends.
//  82. Batch_resumes: Retry or recover of a job that failed a batch puts it back to processing, and what went back to planned is queued again; a retried job no longer counts.
//  83. Batch_goesOnWhenUpstreamCalledItFailed: A batch of a pipeline that is processing, which upstream called failed although no job of it has failed, goes on as its jobs say.
//
// # Holds
//
//  84. Hold_toggles: Toggling a type holds or releases it; it answers the hold, or nothing when it was lifted.
//  85. Hold_once: Holding and releasing can be repeated, also at once: a type has one hold at most.
//
// # Start of a server
//
//  86. Boot_cancelsProcessingJobs: On request, and only then, every processing job is cancelled when a server starts, and the host's hook is called with each.
//
// # Changes
//
//  87. Change_isToldAfterTheCommit: Subscribers are told of a change after its commit, with the job as it was committed; one event a job and transaction.
//  88. Change_isNotToldOfWhatRolledBack: What is rolled back, as a whole or to a savepoint, is not told.
//  89. Change_isToldByEveryVerb: Every verb tells exactly the jobs that it changed, also those of the same batch and pipeline.
//  90. Change_isToldAcrossNodes: What one process changes is told by the others on the same PostgreSQL database; on SQLite by the services on one store.
//  91. Change_inAHostsTransaction: What is changed in a host's transaction is told if and when the host commits.
//  92. Change_slowSubscribersAreDropped: A subscriber that leaves a thousand events waiting is dropped, says why, and costs nobody else anything.
//
// # Transactions
//
//  93. Transaction_allOrNothing: A transaction of several verbs is done as a whole or not at all, and each verb in it, too.
//  94. Transaction_tellsAfterItsCommit: The hook, waiting workers and subscribers are told after its commit, all at once.
//
// # Workers
//
//  95. Worker_isThereWhileItWorks: A worker that acquired, waited for a job, reported or finished within the last minute is there, with what it said of itself, else the types it asked for, and the jobs it holds.
//  96. Worker_isSeenByOtherNodes: The others on the same database see it within seconds; a worker that was away for a minute is there anew.
//  97. Worker_countsForItsTypes: Statistics tell how many workers work a type; those without an id count as one.
//
// # History
//
//  98. History_isARowATransition: Each change of a job's or pipeline's status is a row of its history, written in the change's own transaction; an edit or a report is none.
//  99. History_tellsWhoAndWhy: It tells the attempt, the worker and, where that is known, who asked and for which reason: also the error of an attempt that is tried again, unless outputs are masked.
//  100. History_followsEveryVerb: Whatever changes a status, the history of each job leads from its creation to where it stands.
//  101. History_isNotKeptOnRequest: A host can do without.
//
// # Watching
//
//  102. Watch_tellsWhatChanged: Who watches is told the ids of the jobs, pipelines and batches that changed, each once a look, after the commit.
//  103. Watch_saysThatThereWasMore: What is too much to keep is told as a gap, and so is what other processes may have done while they could not be heard.
//  104. Watch_goesOnFromAPosition: Who comes back learns from the history what he missed, also what was committed late, or that it does not reach back so far.
//
// # Explanations
//
//  105. Explain_asTheDispatchSeesIt: A job is said to be ready, with none ahead, exactly when a worker that asks for its type gets it next.
//  106. Explain_saysWhatKeepsIt: A hold, its time, a backoff, its pipeline, the step or batch before it, its worker, and that nobody asks for its type are told.
//  107. Failures_groupsAlikeErrors: Failed jobs of a type whose errors differ in numbers, ids and quoted parts only are one group.
//  108. Failures_listsAGroup: The jobs of a group are listed by its type and error, and by no other's.
//
// # Retention
//
//  109. Prune_removesWhatOutlivedItsRetention: A job that ended longer ago than its status is kept is removed for good with its history, and its jobUniqueId is free again; a status without a time is kept.
//  110. Prune_countsFromTheEnd: What counts is when it ended, by the database's clock, not when it was created.
//  111. Prune_keepsFamiliesTogether: A batch goes with all of its jobs, a pipeline with its steps, batches and jobs, when it has ended and itself, as successful or failed, and each of its jobs have outlived their retention.
//  112. Prune_plannedJobsGoWithTheirPipeline: A job that is planned has ended with its batch or pipeline; until they go it may be retried, or what stopped it.
//  113. Prune_keepsWhatStillRunsOfAnEndedPipeline: A job that is queued or runs keeps all that it belongs to.
//  114. Prune_deletedJobs: A deleted job goes like any other; one that had not ended counts as cancelled when it was deleted.
//  115. Prune_keepsRetriesOfWhatIsKept: A retry stays as long as the job that it retries, which could else be retried again.
//  116. Prune_inSmallPieces: A piece is a transaction of at most 250 jobs, or of one family; what was removed stays so when it is stopped, and nothing is half-removed.
//  117. Prune_wholeFamiliesHoweverLarge: A family of more jobs than that goes in one transaction.
//  118. Prune_waitsForNobody: What somebody else keeps from changing is left for the next time.
//  119. Prune_passesOverWhatCannotBeRemoved: What a key or trigger of another table keeps from being removed stays, and keeps nothing else from going, neither what lies behind it nor what was to go with it in one piece.
//  120. Prune_againstRetryAndRecover: Of a prune and a retry or recover at once exactly one wins.
//  121. Prune_byAnyNode: Every node prunes in the background; several at once harm nobody.
//  122. Prune_tellsNobody: Subscribers and watchers are not told, and no history is written.
//  123. Prune_findsWhatOthersLeftBehind: Pipelines and batches without jobs, deleted ones, and rows that do not say when they ended go too; what two pipelines share does not.
//  124. Prune_refusals: A retention is at least a minute; pruning is done outside of transactions.
//
// # Metrics
//
//  125. Metrics_countWhatEnds: How many jobs ended, how long they waited and ran, is counted by minute, quarter of an hour and quarter of a day; attempts that are tried again are not.
//  126. Metrics_areOfEachType: They are told of each type as well, up to 500 of them in each such time.
//  127. Metrics_countNothingThatRollsBack: What ends is counted after its commit; what a host ends in its own transaction, whose commit is not seen, is not.
//  128. Metrics_areSeenByOtherNodes: Each process writes what it counted every ten seconds and when it is closed, in a row of its own that nobody changes. A crash loses ten seconds.
//  129. Metrics_areFolded: Such rows are folded within minutes into one for each time, by any node, so that there are a few hundred however many processes there were; each is counted once, also when several fold at once or one dies meanwhile.
//  130. Metrics_areKeptForAMonth: Minutes are kept for two hours, quarters of an hour for two days, quarters of a day for 31 days.
//  131. Metrics_areRemade: They can be made anew from the jobs there are, as often as one likes and while nodes count: what ended before a moment is told by the jobs, what ended later by who counted it.
//  132. Metrics_ofPrunedJobsStay: What was counted of the time before the oldest job that is left ended stays when they are.
//  133. Metrics_areMadeOfWhatEndedBefore: Where that was never done as a whole, it is done by itself.
//
// # For people who wait
//
//  134. Glance_countsAsStatsDo: A glance counts as the statistics do where that is quick.
//  135. Glance_saysOfWhen: Where it is not, jobs are counted in the background, for a small part of the time, and it says of when its counts are.
//  136. Look_findsWhatTheListHas: Looking for jobs and pipelines finds what their lists have, in the same order.
//  137. Look_goesOn: When there was no time to look at all, it says so, and goes on from where it ended.
//  138. Look_findsQueuedJobsAtOnce: Queued jobs of which no more is asked than their type are found at once, the oldest and the newest, whatever lies before and between them.
//  139. Look_getsSomewhere: When not even the first of what is to be looked at can be looked at in time, less is.
//  140. Matching_countsInTime: What matches is counted as long as there is time; a count that is not to the end says so.
//  141. Matching_comesToEachOnce: Who does something with all that match comes to each of those that were there once, in pieces that are read in time, whatever is done with them, and also where createdAt is out of step with the ids.
//  142. Outline_readsWhatAPageShows: A pipeline is outlined for a page by its first steps and the first jobs of their batches; no input, output or progress is read but the inputs that fit.
//
// # Locks
//
// A transaction locks pipelines first, then batches, then jobs, each by id: so
// no two wait for each other, and two last jobs cannot each see the other still running.
package service
