// A large file on its way to the server: fetch cannot tell how far it is, XMLHttpRequest can.

import { noAnswer, refusal } from "../api.js";

/**
 * @template T
 * @param {string} path
 * @param {File} file
 * @param {AbortSignal} signal
 * @param {(sent: number) => void} progress  bytes
 * @returns {Promise<T>}
 */
export function upload(path, file, signal, progress) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("POST", `${path}?name=${encodeURIComponent(file.name)}`);
    request.setRequestHeader("Content-Type", "application/octet-stream");
    request.responseType = "arraybuffer";
    request.upload.onprogress = ({ loaded }) => progress(loaded);
    request.upload.onload = () => progress(file.size);
    request.onerror = () => reject(noAnswer());
    request.onabort = () => reject(new DOMException("cancelled", "AbortError"));
    request.onload = () => {
      if (request.status >= 200 && request.status < 300) {
        resolve(JSON.parse(new TextDecoder().decode(request.response)));
      } else reject(refusal(request, request.response));
    };
    signal.addEventListener("abort", () => request.abort());
    request.send(file);
  });
}
