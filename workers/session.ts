/** Entry of a session's thread. */
import { serveSession } from '../src/session/serve.js';

serveSession();
