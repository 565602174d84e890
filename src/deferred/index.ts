/** Answers that come after the network's patience. */
export { createLate, type DeferredAnswers, type DeferredDeps } from './deferred.ts'
