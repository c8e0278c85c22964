"""Fill an S3 server with believable data to look at, the same bytes each time.

Three buckets: ``weather`` (a year of measurements a file, as CSV by station
and as Parquet by year), ``photos`` (a few pictures of clouds) and ``archive``
(one object of 256 MB). The weather is made up, and says so.

Run by itself, it fills the server that the environment's ``AWS_*`` name.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import botocore.config
import botocore.session
import numpy as np
import pandas as pd
from PIL import Image

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["fill", "main"]

BIG = 256_000_000
PART = 16_000_000
YEARS = range(2020, 2025)

# number, name, country, latitude, longitude, metres above the sea, mean °C, yearly swing
STATIONS = pd.DataFrame(
    [
        ("01311", "bergen", "NO", 60.38, 5.33, 12, 8.1, 7.0),
        ("04030", "reykjavik", "IS", 64.13, -21.90, 52, 5.1, 6.0),
        ("06260", "de-bilt", "NL", 52.10, 5.18, 2, 10.6, 7.5),
        ("06447", "uccle", "BE", 50.80, 4.36, 104, 11.0, 7.5),
        ("06610", "payerne", "CH", 46.81, 6.94, 491, 9.9, 9.5),
        ("08535", "lisboa", "PT", 38.72, -9.15, 77, 17.5, 6.0),
        ("10961", "zugspitze", "DE", 47.42, 10.98, 2964, -3.6, 6.5),
        ("11035", "wien", "AT", 48.25, 16.36, 198, 11.4, 10.5),
    ],
    columns=["number", "name", "country", "latitude", "longitude", "height", "mean", "swing"],
)
DAILY = {"temperature": "mean", "rain": "sum", "wind": "mean", "pressure": "mean"}
README = """\
Weather of eight European stations, 2020 to 2024.

The stations are real, their weather is made up: it is here to be listed,
fetched and plotted, not to be believed.

  stations.csv                       the stations
  csv/year=YYYY/station=NAME.csv     one station, day by day
  parquet/year=YYYY/hourly.parquet   all stations, hour by hour
"""


def fill(client: Any) -> int:
    """Make the buckets and write the objects.

    Args:
        client: A botocore S3 client.

    Returns:
        The number of objects written.
    """
    for bucket in ("weather", "photos", "archive"):
        client.create_bucket(Bucket=bucket)
    written = 1
    for bucket, key, body, content_type in _small_objects():
        client.put_object(Bucket=bucket, Key=key, Body=body, ContentType=content_type)
        written += 1
    _put_big(client, "archive", "radar/2024-composite.bin")
    return written


def main() -> None:
    """Fill the server that the environment names."""
    config = botocore.config.Config(s3={"addressing_style": "path"})
    client = botocore.session.Session().create_client("s3", config=config)
    print(f"{fill(client)} objects written to {client.meta.endpoint_url}")
    client.close()


def _small_objects() -> Iterator[tuple[str, str, bytes, str]]:
    yield "weather", "README.txt", README.encode(), "text/plain"
    yield "weather", "stations.csv", _csv(STATIONS.iloc[:, :6]), "text/csv"
    for year in YEARS:
        hourly = _weather(year)
        for name, rows in hourly.groupby("station"):
            daily = rows.resample("D", on="time").agg(DAILY).round(1)
            daily = daily.rename_axis("date").reset_index()
            yield "weather", f"csv/year={year}/station={name}.csv", _csv(daily), "text/csv"
        parquet = hourly.to_parquet(index=False)
        key = f"parquet/year={year}/hourly.parquet"
        yield "weather", key, parquet, "application/vnd.apache.parquet"
    for number, place in enumerate(("bergen", "lisboa", "wien", "zugspitze")):
        yield "photos", f"clouds/{place}.jpg", _clouds(number), "image/jpeg"


def _weather(year: int) -> pd.DataFrame:
    """Make up a year, hour by hour: seasons, days, and a wind of its own each day."""
    dice = np.random.default_rng(year)
    time = pd.date_range(f"{year}-01-01", f"{year + 1}-01-01", freq="h", inclusive="left")
    season = -np.cos(2 * np.pi * (time.day_of_year.to_numpy() - 20) / 365.25)
    day = -np.cos(2 * np.pi * (time.hour.to_numpy() - 3) / 24)
    frames = []
    for station in STATIONS.itertuples():
        spell = np.convolve(dice.normal(size=len(time) + 71), np.ones(72) / 8.5, "valid")
        warmth = station.mean + station.swing * season + 3 * day + 3 * spell
        wet = np.clip(dice.normal(-1.6 - spell / 2, 1.2), 0, None)
        frame = {
            "station": station.name,
            "time": time,
            "temperature": np.round(warmth + dice.normal(0, 0.4, len(time)), 1),
            "rain": np.round(2 * wet, 1),
            "wind": np.round(np.abs(4 + 2 * spell + dice.normal(0, 1.5, len(time))), 1),
            "pressure": np.round(1013 - 8 * spell - station.height / 9, 1),
        }
        frames.append(pd.DataFrame(frame))
    return pd.concat(frames, ignore_index=True)


def _csv(frame: pd.DataFrame) -> bytes:
    return frame.to_csv(index=False, lineterminator="\n").encode()


def _clouds(seed: int) -> bytes:
    """Paint clouds: noise at six scales, white on a blue sky."""
    dice = np.random.default_rng(seed)
    size = (960, 640)
    height = np.zeros(size[::-1])
    for scale in range(1, 7):
        grid = dice.random((2**scale + 1, 2**scale + 1)) * 255
        layer = Image.fromarray(grid.astype("uint8")).resize(size, Image.Resampling.BICUBIC)
        height += np.asarray(layer, dtype=float) / 255 / 2**scale
    cover = np.clip((height - 0.45) * 3.5, 0, 1)[..., None]
    sky = np.array([70, 130, 200]) + np.linspace(0, 60, size[1])[:, None, None]
    picture = sky * (1 - cover) + 250 * cover
    file = io.BytesIO()
    Image.fromarray(np.clip(picture, 0, 255).astype("uint8")).save(file, "JPEG", quality=88)
    return file.getvalue()


def _put_big(client: Any, bucket: str, key: str) -> None:
    """Write the large object in parts: one random part, turned a little further each time."""
    where = {"Bucket": bucket, "Key": key}
    block = np.random.default_rng(256).bytes(PART)
    upload = where | {"UploadId": client.create_multipart_upload(**where)["UploadId"]}
    parts = []
    for number in range(1, BIG // PART + 1):
        turn = number * 4099
        body = block[turn:] + block[:turn]
        answer = client.upload_part(**upload, PartNumber=number, Body=body)
        parts.append({"PartNumber": number, "ETag": answer["ETag"]})
    client.complete_multipart_upload(**upload, MultipartUpload={"Parts": parts})


if __name__ == "__main__":
    main()
