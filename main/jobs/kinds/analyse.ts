/** Tested verdicts of one seed; of the study: what holds over the seeds, and the paragraph in words. */
