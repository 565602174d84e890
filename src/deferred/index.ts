/** Deferred answers: they come after the network's patience. */
export { createDeferredAnswers, type DeferredAnswers, type DeferredDeps, type ToldAnswer } from './deferred.ts'
