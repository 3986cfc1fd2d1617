namespace ControlPlane.DriverLinux;

/// <summary>A rate with what may be saved up (burst) and what may wait (queue), all in bytes of frames.</summary>
readonly record struct TokenBucket(long BytesPerSecond, long BurstBytes, long QueueBytes)
{
    // 10 ms at full rate keeps fast ports fast; a frame that is larger than the burst would never pass.
    const int BurstsPerSecond = 100;
    const int FramesMin = 4;
    const int EthernetBytes = 18;

    // What waits longer than a tenth of a second is better dropped; a packet that was segmented late still fits.
    const int QueuesPerSecond = 10;
    const int QueueBytesMin = 128 << 10;
    const int QueueBytesMax = 1 << 30;

    public static TokenBucket Of(long bitsPerSecond, int mtu) => OfBytes(bitsPerSecond / 8, mtu);

    public static TokenBucket OfBytes(long rate, int mtu) =>
        new(
            rate,
            Math.Max(rate / BurstsPerSecond, FramesMin * (mtu + EthernetBytes)),
            Math.Clamp(rate / QueuesPerSecond, QueueBytesMin, QueueBytesMax));
}
