/**
 * Loaded before the tests of a mutant that needs Postgres, and nowhere else: the campaign's own, where each suite makes
 * its schema.
 */
import { services } from '../support/services.ts'
import { POSTGRES_URL } from './mutant-runner.ts'

services.postgresUrl = process.env[POSTGRES_URL]
services.missing.redis = 'no test that is nearest to a mutant needs it'
