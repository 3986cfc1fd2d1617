using System.Threading.Channels;
using ControlPlane.Agent.Link;
using ControlPlane.DriverAbi;
using ControlPlane.Messages;

namespace ControlPlane.Agent;

/// <summary>
/// The frames of one session: reports in order, each after the receipt of the one before, so that the window is one
/// report. The receipt is the cursor; what the cluster did not take is read again from there.
/// </summary>
sealed class FrameReports(IDriver driver, IAgentStream stream, long session, HostAgentOptions options, TimeProvider time)
{
    readonly Channel<FramesStored> _receipts = Channel.CreateBounded<FramesStored>(1);

    /// <summary>False: nobody waits for one.</summary>
    public bool Stored(FramesStored receipt) => _receipts.Writer.TryWrite(receipt);

    /// <summary>Runs until stopped. A place that the driver no longer keeps, or a gap at the cluster, ends the session.</summary>
    public async Task Run(long streamEpoch, long after, CancellationToken stop)
    {
        while (true)
        {
            after = await RunFrom(streamEpoch, after, stop);
            await Task.Delay(options.FramesPause, time, stop);
        }
    }

    /// <summary>Returns the cursor when the cluster took less than it was sent.</summary>
    async Task<long> RunFrom(long streamEpoch, long after, CancellationToken stop)
    {
        using var end = CancellationTokenSource.CreateLinkedTokenSource(stop);
        var read = Channel.CreateBounded<DriverFrame>(options.FramesAheadMax);
        var reading = Read(read.Writer, after, end.Token);
        try
        {
            while (await read.Reader.WaitToReadAsync(stop))
            {
                var frames = new List<DriverFrame>();
                while (frames.Count < options.FramesPerReportMax && read.Reader.TryRead(out var frame))
                {
                    frames.Add(frame);
                }
                var sent = frames[^1].Seq;
                await stream.Send(new LinkParcel(new ReportFrames(session, frames), session), stop);
                var stored = await Receipt(stop).WaitAsync(options.AnswerTakesMax, time, stop);
                if (stored.StreamEpoch != streamEpoch || stored.Seq < after || stored.Seq > sent)
                {
                    throw new LinkEndedException($"frame gap: frames {after + 1} to {sent} were answered {stored.Seq}");
                }
                after = stored.Seq;
                if (after < sent)
                {
                    return after;
                }
            }
            throw new LinkEndedException("the driver's frames ended");
        }
        finally
        {
            Together.Cancel(end);
            await reading;
        }
    }

    async Task<FramesStored> Receipt(CancellationToken stop) => await _receipts.Reader.ReadAsync(stop);

    async Task Read(ChannelWriter<DriverFrame> read, long after, CancellationToken stop)
    {
        try
        {
            await foreach (var frame in driver.Frames(after, stop))
            {
                await read.WriteAsync(frame, stop);
            }
            read.Complete();
        }
        catch (Exception error) when (error is not OutOfMemoryException)
        {
            // Thrown where the frames are taken.
            read.Complete(error);
        }
    }
}
