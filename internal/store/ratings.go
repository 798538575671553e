package store

import "time"

// Upstream keeps the ratings in materialized views that nobody refreshes; here
// they are computed when asked. As there, rows count that were deleted since.

// ratedFor is how far back jobs are rated.
const ratedFor = 30 * 24 * time.Hour

// jobRatings is the SELECT of models.JobSuccessRating. Percents are rounded
// half up, in whole numbers, so that both databases answer the same.
func jobRatings(tx *Tx) string {
	return `SELECT "day", "successfulJobs", "failedJobs", "successfulJobs" + "failedJobs" AS "totalJobs",
			CASE WHEN "successfulJobs" + "failedJobs" = 0 THEN 1000
				ELSE ` + percent(`"successfulJobs"`, `("successfulJobs" + "failedJobs")`) + ` END AS "successRating"
		FROM (SELECT ` + tx.day(`"createdAt"`) + ` AS "day",
				CAST(count(CASE WHEN status = 'successful' THEN 1 END) AS integer) AS "successfulJobs",
				CAST(count(CASE WHEN status = 'failed' THEN 1 END) AS integer) AS "failedJobs"
			FROM ` + tx.qualified() + `"job"
			WHERE "createdAt" > ` + tx.clock(tx.ClockOffset()-ratedFor) + `
			GROUP BY ` + tx.day(`"createdAt"`) + `) d`
}

// workerRatings is the SELECT of models.WorkerSuccessRating. The uuid is made
// of the first row that counts, so that it stays.
func workerRatings(tx *Tx) string {
	percentOf := func(status string) string {
		return percent(`count(CASE WHEN "workerStatus" = '`+status+`' THEN 1 END)`, "count(*)")
	}
	return `SELECT '00000000-0000-4000-8000-' || ` + tx.hex12("min(id)") + ` AS "uuid", "workerType",
			` + tx.hour(`"createdAt"`) + ` AS "timestamp", max("createdAt") AS "newest",
			` + percentOf("AVAILABLE") + ` AS "availableRating", ` + percentOf("PROCESSING") + ` AS "processingRating",
			` + percentOf("FAILED") + ` AS "failedRating", ` + percentOf("EXITED") + ` AS "exitedRating"
		FROM ` + tx.qualified() + `"workerMonitoring"
		GROUP BY ` + tx.hour(`"createdAt"`) + `, "workerType"
		ORDER BY "newest" DESC, "uuid" LIMIT 360`
}

func percent(part, all string) string {
	return "CAST((200 * " + part + " + " + all + ") / (2 * " + all + ") AS integer)"
}
