"""Refusals above the throughput of a model, and clients that come back."""

import threading
import time
import unittest

from botocore.exceptions import ClientError

from box import BOTOCORE, Case, ONCE, PHOTO, client, configured_arn


class Throttling(Case):
    """Above what the model may do: it is limited to five a second, with a burst of as many."""

    def flood(self, make_client, calls):
        arn, codes, lock = configured_arn(), [], threading.Lock()
        # A client takes longer to make than a call takes: made in the threads, they would call one after the other.
        clients, together = [make_client() for _ in range(calls)], threading.Barrier(calls)

        def call(one):
            together.wait()
            try:
                one.detect_custom_labels(ProjectVersionArn=arn, Image={"Bytes": PHOTO})
                code, response = "ok", None
            except ClientError as error:
                code, response = error.response["Error"]["Code"], error.response
            with lock:
                codes.append((code, response))

        threads = [threading.Thread(target=call, args=(one,)) for one in clients]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return codes

    def test_above_its_capacity_a_model_refuses_and_says_when_to_come_back(self):
        # Who was refused a moment ago may have been promised what is there now.
        for _ in range(5):
            codes = self.flood(lambda: client(retries=ONCE), 30)
            refused = [response for code, response in codes if code == "ProvisionedThroughputExceededException"]
            if len(refused) < 30:
                break
        self.assertTrue(refused and len(refused) < 30, [code for code, _ in codes])
        self.assertEqual({code for code, _ in codes} - {"ok"}, {"ProvisionedThroughputExceededException"})
        metadata = refused[0]["ResponseMetadata"]
        self.assertEqual(metadata["HTTPStatusCode"], 400)
        self.assertGreater(int(metadata["HTTPHeaders"]["x-amz-retry-after"]), 0)
        self.assertGreaterEqual(int(metadata["HTTPHeaders"]["retry-after"]), 1)

    @unittest.skipIf(BOTOCORE < (1, 43), "boto3 obeys x-amz-retry-after since 1.43")
    def test_a_client_comes_back_when_it_was_told_to(self):
        arn, sent, hints = configured_arn(), [], []
        patient = client(retries={"total_max_attempts": 7, "mode": "standard"})
        events = patient.meta.events
        events.register("before-send.rekognition.DetectCustomLabels", lambda **_: sent.append(time.monotonic()))

        def received(response_dict, **_):
            hints.append(int(response_dict["headers"].get("x-amz-retry-after", 0)) / 1000)

        events.register("before-parse.rekognition.DetectCustomLabels", received)
        # Others have emptied the bucket: a box so slow that it fills again meanwhile is asked again.
        for _ in range(5):
            self.flood(lambda: client(retries=ONCE), 12)
            sent.clear()
            hints.clear()
            patient.detect_custom_labels(ProjectVersionArn=arn, Image={"Bytes": PHOTO})
            if len(sent) > 1:
                break
        self.assertGreater(len(sent), 1, "it was refused at first")
        self.assertEqual(len(hints), len(sent))
        for hint, before, after in zip(hints, sent, sent[1:]):
            self.assertGreater(hint, 0)
            self.assertGreaterEqual(after - before, hint)

    def test_a_client_that_retries_gets_through(self):
        retrying = {"total_max_attempts": 9, "mode": "standard"}
        codes = self.flood(lambda: client(retries=retrying), 12)
        self.assertEqual([code for code, _ in codes], ["ok"] * 12)
