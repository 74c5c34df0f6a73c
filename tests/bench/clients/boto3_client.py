"""What boto3 takes for the calls that dmq_bench measures: boto3_client.py URL N, a line of JSON for each.

At URL is a local_cloud with an empty queue.
"""

import itertools
import json
import resource
import sys

import boto3
from botocore.config import Config


def cpu_seconds():
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def main(url, n):
    queue = url + "/000000000000/dmq.fifo"
    sqs = boto3.client(
        "sqs",
        endpoint_url=url,
        region_name="us-east-1",
        aws_access_key_id="AKIALOCALCLOUD000000",
        aws_secret_access_key="local-cloud-secret-key",
        config=Config(proxies={}),
    )

    ids = itertools.count()

    def message(i):
        return {"MessageBody": "x" * 256, "MessageGroupId": "group-%d" % i, "MessageDeduplicationId": str(next(ids))}

    def send():
        return sqs.send_message(QueueUrl=queue, **message(0))["MessageId"]

    def send_batch():
        return sqs.send_message_batch(QueueUrl=queue, Entries=[{"Id": str(i), **message(i)} for i in range(10)])["Successful"]

    def receive_and_delete():
        received = sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10, AttributeNames=["All"])
        entries = [{"Id": str(i), "ReceiptHandle": m["ReceiptHandle"]} for i, m in enumerate(received["Messages"])]
        return sqs.delete_message_batch(QueueUrl=queue, Entries=entries)["Successful"]

    for call, requests, run in (("send", 1, send), ("sendbatch", 1, send_batch), ("recvdel", 2, receive_and_delete)):
        calls = max(10, n // requests)
        for _ in range(10):
            run()
        before = cpu_seconds()
        for _ in range(calls):
            if not run():
                sys.exit(call + ": no answer")
        cost = (cpu_seconds() - before) * 1e6 / (calls * requests)
        fields = {"op": "client", "client": "boto3 " + boto3.__version__, "call": call, "n": calls * requests}
        print(json.dumps({**fields, "cpu_us_per_request": round(cost, 1)}, separators=(",", ":")), flush=True)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
