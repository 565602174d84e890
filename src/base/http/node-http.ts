/**
 * `node:http`, loaded without its ES module. On Node.js 22 and later that module also loads WebSocket and EventSource,
 * and with them a complete HTTP client: 60 ms and some megabytes.
 */
export const { createServer } = process.getBuiltinModule('node:http')
