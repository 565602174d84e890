/** /v1/instances: the daemons on the same database, with their lines, rates and alarms. */
import { Hono } from 'hono'
import type { Admitted, RouteDeps } from './shared.ts'

export function instanceRoutes({ fleet }: RouteDeps): Hono<Admitted> {
  const app = new Hono<Admitted>()
  app.get('/', async (c) => c.json(await fleet.told()))
  return app
}
