/** What a log event means, and what to do, by its message: what the message alone does not say. */
export const LOG_MEANINGS: Record<string, string> = {}
