namespace ControlPlane.DriverLinux;

/// <summary>
/// Holds what a guest sends to a rate. The bytes of a frame are time on a wire of that rate: one cell holds the time
/// when the wire will be free, and a frame that finds it further ahead than the burst is dropped. So the rate is exact
/// over any long time, a large segment passes and is paid for afterwards, and a tap is as good as a veth.
/// </summary>
static class RateProgram
{
    // Parts of a nanosecond: a byte at 100 Gbit/s takes 0.08 of one.
    const int FractionBits = 20;

    // Frames beyond the rate are dropped and not queued, so a stream sends in bursts after each of its timeouts of a
    // fifth of a second: with less saved up it would not come near its rate.
    const long BurstNanoseconds = 500_000_000;
    const long NanosecondsPerSecond = 1_000_000_000;

    const int Packet = 6;
    const int Now = 7;
    const int Cell = 8;
    const int Free = 9;

    public static BpfCode For(long bytesPerSecond, int cell)
    {
        var byteTime = (long)(((UInt128)NanosecondsPerSecond << FractionBits) / (UInt128)bytesPerSecond);
        return new BpfCode()
            .Copy(Packet, 1)
            .Call(BpfCode.TimeNanoseconds).Copy(Now, 0)
            .SetMapValue(Cell, cell).LoadLong(Free, Cell)

            // Register 1: when this frame can begin, which is not in the past.
            .Copy(1, Free).IfAtLeast(1, Now, "ahead").Copy(1, Now)
            .Label("ahead").Copy(2, 1).Subtract(2, Now).SetLong(3, BurstNanoseconds).IfMore(2, 3, "drop")

            // Register 4: how long it takes.
            .Load(4, Packet, BpfCode.Length).SetLong(3, byteTime).Multiply(4, 3).ShiftRight(4, FractionBits)
            .Add(1, 4).Copy(0, Free).Exchange(Cell, 1).IfSame(0, Free, "pass")

            // Another processor was quicker: this frame comes after its.
            .AddAt(Cell, 4)
            .Label("pass").Return(BpfCode.Next)
            .Label("drop").Return(BpfCode.Drop);
    }
}
