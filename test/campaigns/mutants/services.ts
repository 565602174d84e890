/**
 * Loaded before the tests of a mutant that need Postgres or Redis, and nowhere else: the campaign's own, where each suite
 * makes its schema, and each tree has a database number of Redis to itself.
 */
import { services } from '../../support/services.ts'
import { POSTGRES_URL, REDIS_URL } from './runner.ts'

services.postgresUrl = process.env[POSTGRES_URL]
services.redisUrl = process.env[REDIS_URL]
if (services.redisUrl === undefined) services.missing.redis = 'no test that is nearest to a mutant needs it'
