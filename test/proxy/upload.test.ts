import { IncomingMessage } from 'node:http'
import { Socket } from 'node:net'
import { expect, test } from 'vitest'
import { Upload } from '../../src/proxy/upload.ts'

// node:http looks whether somebody listens for the error, and emits it a tick later: nobody listening by then ended the
// thread, and with it every connection that it had.
test('a client that breaks off while its upload is let go does not end the thread', async () => {
  const socket = new Socket()
  const request = new IncomingMessage(socket)
  const upload = new Upload(request, { stallMs: 1000 })
  upload.read()
  const closed = new Promise<void>((resolve) => request.once('close', resolve))
  socket.destroy()
  request.destroy(new Error('aborted'))
  process.nextTick(() => upload.detach())
  await closed
  expect(request.errored).toMatchObject({ message: 'aborted' })
})
