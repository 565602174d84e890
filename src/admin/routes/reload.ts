/** /v1/reload: the settings are read again; /v1/reload/check says what that would change, and changes nothing. */
import { Hono } from 'hono'
import { carriedOut, type Admitted, type RouteDeps } from './shared.ts'

export function reloadRoutes(deps: RouteDeps): Hono<Admitted> {
  const app = new Hono<Admitted>()
  app.post('/', (c) => carriedOut(c, { what: 'lines-reload' }, deps))
  app.post('/check', (c) => carriedOut(c, { what: 'reload-check' }, deps))
  return app
}
